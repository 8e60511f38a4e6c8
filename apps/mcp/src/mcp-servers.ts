/**
 * The MCP servers of a spawned worker, in every form that agents write: a list, JSON of a list, or names between commas.
 * JSON that is no list is read as names between commas, too; empty names are left out.
 */
export function mcpServersOf(given: string | readonly string[] | undefined): string[] {
  if (given === undefined) return [];
  const names = typeof given === 'string' ? (listInJson(given) ?? given.split(',')) : given;
  return [...new Set(names.map((name) => name.trim()).filter((name) => name !== ''))];
}

function listInJson(text: string): string[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // No JSON: names between commas.
    return undefined;
  }
  return Array.isArray(value) ? value.map(String) : undefined;
}
