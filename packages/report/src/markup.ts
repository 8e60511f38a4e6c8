import { plainText } from './plain-text.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for an element or a quoted attribute; everything that came from outside passes here. */
export function escapeHtml(text: string): string {
  return plainText(text).replace(/[&<>"']/g, (found) => entities[found] ?? found);
}

/** An id and link target for a task; ids are free text, so by number. */
export function anchorOf(index: number): string {
  return `task-${index + 1}`;
}

/** Where a reference of a finding leads; nothing but https becomes a link. */
export function referenceLink(reference: string): string | undefined {
  const weakness = /^CWE-(\d{1,5})$/.exec(reference);
  if (weakness !== null) return `https://cwe.mitre.org/data/definitions/${weakness[1] ?? ''}.html`;
  return /^https:\/\/[^\s"'<>\\^`{|}]+$/.test(reference) ? reference : undefined;
}
