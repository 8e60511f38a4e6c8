/** Told by the name of the file. */
export function isMarkdown(file: string): boolean {
  return /\.(md|markdown)$/i.test(file);
}
