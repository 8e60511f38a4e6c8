import { createHash } from 'node:crypto';
import type { ProgressSection } from './progress-sections.ts';

/**
 * A progress document belongs to people; only what stands between our marks is ours, and that only while nobody has
 * changed it: each mark carries a digest of what we wrote, so that a change of a person's is told from an old text of
 * ours, without a copy of the old text. The last mark lists what we have written, so that what a person took out stays
 * out.
 *
 *     <!-- switchyard KEY is=DIGEST -->
 *     …
 *     <!-- /switchyard -->
 *     <!-- switchyard-wrote KEY KEY … -->
 */
export interface MergedProgress {
  readonly text: string;
  /** Keys of sections that a person has changed or taken out, and that now say something else than we would. */
  readonly kept: readonly string[];
}

const section = /^<!-- switchyard (\S+) is=([0-9a-f]{16}) -->\n([^]*?)^<!-- \/switchyard -->$/gm;
const wrote = /^<!-- switchyard-wrote ?(.*) -->\n?/m;

/** The document with our sections as they are now; every byte that is not ours stays. `before`: empty for a new one. */
export function mergeProgress(before: string, sections: readonly ProgressSection[]): MergedProgress {
  const isDos = /\r\n/.test(before) && !/[^\r]\n/.test(before);
  const plain = isDos ? before.replaceAll('\r\n', '\n') : before;
  const { text, kept } = mergePlain(plain, sections);
  return { text: isDos ? text.replaceAll('\n', '\r\n') : text, kept };
}

function mergePlain(before: string, sections: readonly ProgressSection[]): MergedProgress {
  const now = new Map(sections.map(({ key, text }) => [nameOf(key), `${withoutMarks(text)}\n`]));
  const listed = new Set((wrote.exec(before)?.[1] ?? '').split(' ').filter((name) => name !== ''));
  const found = new Set<string>();
  const kept: string[] = [];
  const replaced = before.replaceAll(section, (whole: string, name: string, digest: string, body: string) => {
    const text = now.get(name);
    if (text === undefined || found.has(name)) return whole;
    found.add(name);
    if (digestOf(body) !== digest) {
      if (body !== text) kept.push(decodeURIComponent(name));
      return whole;
    }
    return marked(name, text);
  });
  const missing = [...now].filter(([name]) => !found.has(name));
  kept.push(...missing.filter(([name]) => listed.has(name)).map(([name]) => decodeURIComponent(name)));
  const fresh = missing.filter(([name]) => !listed.has(name)).map(([name, text]) => marked(name, text));
  const names = [...new Set([...listed, ...now.keys()])];
  return { text: withEnd(replaced, fresh, `<!-- switchyard-wrote ${names.join(' ')} -->\n`), kept };
}

/** New sections come before the last mark, or at the end of a document that has none. */
function withEnd(text: string, fresh: readonly string[], mark: string): string {
  const added = fresh.map((one) => `${one}\n\n`).join('');
  if (wrote.test(text)) return text.replace(wrote, () => `${added}${mark}`);
  const gap = text === '' ? '' : text.endsWith('\n\n') ? '' : text.endsWith('\n') ? '\n' : '\n\n';
  return `${text}${gap}${added}${mark}`;
}

function marked(name: string, text: string): string {
  return `<!-- switchyard ${name} is=${digestOf(text)} -->\n${text}<!-- /switchyard -->`;
}

function nameOf(key: string): string {
  return encodeURIComponent(key).replaceAll('--', '-%2D');
}

/** No text of a run ends its section early. */
function withoutMarks(text: string): string {
  return text.replaceAll('<!--', '&lt;!--');
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
