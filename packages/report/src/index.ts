export { renderMarkdown, type TranscriptAddress } from './markdown.ts';
export { renderHtml } from './html.ts';
export { renderCase, type CaseOf } from './case-file.ts';
export { progressSections, type ProgressSection } from './progress-sections.ts';
export { mergeProgress, type MergedProgress } from './progress-document.ts';
export { dotToSvg } from './dot-to-svg.ts';
export { renderReviewHtml } from './review-html.ts';
export { defaultSessionTemplate } from './session/default-template.ts';
export { renderSession } from './session/render-session.ts';
export { sessionFields } from './session/session-fields.ts';
export { renderSessionHtml } from './session/session-html.ts';
export {
  parseSessionTemplate,
  type ParsedTemplate,
  type SessionTemplate,
} from './session/session-template.ts';
