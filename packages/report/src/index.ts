export { renderMarkdown } from './markdown.ts';
export { renderHtml } from './html.ts';
export { dotToSvg } from './dot-to-svg.ts';
