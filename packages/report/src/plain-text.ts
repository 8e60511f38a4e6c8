/** Terminal colour and cursor sequences (ECMA-48 CSI and OSC), whose parts must not reach a page. */
// eslint-disable-next-line no-control-regex -- control characters are what this looks for
const terminalSequence = /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[@-Z\\-_])/g;
// eslint-disable-next-line no-control-regex -- control characters are what this looks for
const control = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]/g;
/** Bidirectional overrides, isolates and invisible marks: text that shows other than it is. */
const invisible = /[\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/g;

/** Text as it may be shown: no terminal sequences, control characters as `·`, hidden characters by their number. */
export function plainText(text: string): string {
  return text
    .replace(/\p{Surrogate}/gu, '\uFFFD')
    .replace(terminalSequence, '')
    .replace(/\r\n?/g, '\n')
    .replace(control, '·')
    .replace(
      invisible,
      (found) => `\\u${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`,
    );
}

/** The same on one line, cut to a length in characters. */
export function oneLine(text: string, lengthMax = 300): string {
  const line = plainText(text).replace(/\s+/g, ' ').trim();
  return line.length > lengthMax ? `${line.slice(0, lengthMax - 1).replace(/\p{Surrogate}$/u, '')}…` : line;
}
