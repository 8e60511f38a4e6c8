import { readFileSync } from 'node:fs';
import { AppError, messageOf } from '@switchyard/protocol';
import { knownMcpServers } from './known-mcp-servers.ts';
import { ownServerName } from './own-server.ts';
import { mcpServerSpecs, type McpServerSpec } from './mcp-server-spec.ts';

/** By the names that plans use. */
export type McpCatalogue = ReadonlyMap<string, McpServerSpec>;

/** The known servers with those of the operator's file, which come before them. Throws AppError E_CONFIG. */
export function readMcpServers(file: string | undefined): McpCatalogue {
  const added = file === undefined || file === '' ? {} : readJson(file);
  const isMap = typeof added === 'object' && added !== null && !Array.isArray(added);
  if (isMap && Object.hasOwn(added, ownServerName))
    throw new AppError(
      'E_CONFIG',
      `the MCP servers file ${file}: ${ownServerName}: agents know Switchyard's own tools by this name; choose another`,
    );
  const parsed = mcpServerSpecs.safeParse(isMap ? { ...knownMcpServers, ...added } : added);
  if (parsed.success) return new Map(Object.entries(parsed.data));
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new AppError(
    'E_CONFIG',
    `the MCP servers file ${file}: ${where}: ${issue?.message ?? 'not as it should be'}`,
  );
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new AppError('E_CONFIG', `the MCP servers file ${file} cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  }
}
