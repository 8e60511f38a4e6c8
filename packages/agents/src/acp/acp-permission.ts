import { posix } from 'node:path';
import type {
  PermissionOption,
  RequestPermissionRequest,
  RequestPermissionResponse,
} from '@agentclientprotocol/sdk';
import type { AgentEvent } from '../agent-event.ts';
import type { FileGuard, FileIntent } from '../file-guard.ts';
import { askToolName } from '../mcp/ask-tool.ts';
import { orchestratorToolNames } from '../mcp/own-tools.ts';
import { matches } from '../tools/narrowed-files.ts';
import { grantOf, mayCommandsWrite, type ToolRights } from '../tools/tool-groups.ts';

export interface Decision {
  readonly isAllowed: boolean;
  readonly reason: string;
}

type Asked = RequestPermissionRequest['toolCall'];

/**
 * Whether an agent may do what it asks for: by its mode's groups of tools, and by the guard for each path that it names.
 * What is allowed is still held by the sandbox.
 */
export function decidePermission(asked: Asked, { files, rights, root }: Around): Decision {
  switch (asked.kind ?? 'other') {
    case 'edit':
      return byEdit(asked, 'write', { files, rights, root });
    case 'delete':
    case 'move':
      return byEdit(asked, 'change', { files, rights, root });
    case 'read':
    case 'search':
      return grantOf(rights, 'read') === undefined ? lacks(rights, 'read') : byPaths(asked, 'read', files);
    case 'execute':
      if (grantOf(rights, 'command') === undefined) return lacks(rights, 'command');
      return { isAllowed: true, reason: 'the sandbox holds what it does' };
    case 'fetch':
      return { isAllowed: false, reason: 'an attempt has no network' };
    case 'think':
      return { isAllowed: true, reason: 'it does nothing' };
    case 'switch_mode':
      // Modes of the agent's own, in which it may ask for less than before.
      if (!mayCommandsWrite(rights)) return lacks(rights, 'edit');
      return { isAllowed: true, reason: 'the sandbox holds what it does' };
    case 'other':
      // Tools of MCP servers, which the group is for; of ours, each says itself who may call it.
      if (grantOf(rights, 'mcp') === undefined && !isOwn(asked)) return lacks(rights, 'mcp');
      return { isAllowed: true, reason: 'the sandbox holds what it does' };
  }
}

function isOwn({ title = '' }: Asked): boolean {
  return [askToolName, ...orchestratorToolNames].some((name) => title?.includes(name) === true);
}

/** What a permission is decided by. */
export interface Around {
  readonly files: Pick<FileGuard, 'explain'>;
  readonly rights: ToolRights;
  /** The checkout. */
  readonly root: string;
}

function byEdit(asked: Asked, intent: FileIntent, { files, rights, root }: Around): Decision {
  const grant = grantOf(rights, 'edit');
  if (grant === undefined) return lacks(rights, 'edit');
  const { fileRegex } = grant;
  const paths = pathsOf(asked);
  const isNarrow = fileRegex !== undefined;
  const other = paths.find((path) => isNarrow && !matches(fileRegex, below(root, path)));
  if (other !== undefined || (isNarrow && paths.length === 0))
    return {
      isAllowed: false,
      reason: `the mode "${rights.slug}" edits only files that match ${fileRegex ?? ''}`,
    };
  return byPaths(asked, intent, files);
}

function below(root: string, path: string): string {
  return posix.normalize(path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path);
}

function lacks(rights: ToolRights, group: string): Decision {
  return { isAllowed: false, reason: `the mode "${rights.slug}" has no tools of the group ${group}` };
}

function byPaths(asked: Asked, intent: FileIntent, files: Pick<FileGuard, 'explain'>): Decision {
  for (const path of pathsOf(asked)) {
    const { allowed, reason, code } = files.explain(path, intent);
    // What is not there yet may be read in vain and written well; the guard's own answer says the rest.
    if (!allowed && code !== 'E_NOT_FOUND') return { isAllowed: false, reason };
  }
  return { isAllowed: true, reason: 'it lies where the task may work' };
}

function pathsOf({ locations, content }: Asked): string[] {
  const changed = (content ?? []).flatMap((each) => (each.type === 'diff' ? [each.path] : []));
  return [...new Set([...(locations ?? []).map(({ path }) => path), ...changed])];
}

/** The answer in the options that the agent offers; once rather than for ever. */
export function answerPermission(
  { toolCall, options }: RequestPermissionRequest,
  { isAllowed, reason }: Decision,
  tell: (event: AgentEvent) => void,
): RequestPermissionResponse {
  const kinds: readonly PermissionOption['kind'][] = isAllowed
    ? ['allow_once', 'allow_always']
    : ['reject_once', 'reject_always'];
  const option = kinds.flatMap((kind) => options.filter((each) => each.kind === kind))[0];
  const title = toolCall.title ?? toolCall.kind ?? 'a tool';
  tell({ kind: 'permission', title, decision: isAllowed ? 'allowed' : 'refused', reason });
  if (option === undefined) return { outcome: { outcome: 'cancelled' } };
  return { outcome: { outcome: 'selected', optionId: option.optionId } };
}
