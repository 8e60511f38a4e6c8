/**
 * A text of somebody else's as one item of a list: whatever it has, a heading of its own included, stays within the item,
 * so that it reads as part of what it says and not of what the agent is told.
 */
export function listItem(text: string): string {
  return `- ${text.trim().replace(/\r\n?|\n/g, '\n  ')}`;
}
