/** A word as a POSIX shell reads it back: commands for people name tasks, and those may be called anything. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
