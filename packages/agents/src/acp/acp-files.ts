import { RequestError, type ReadTextFileRequest, type WriteTextFileRequest } from '@agentclientprotocol/sdk';
import { isAppError, messageOf } from '@switchyard/protocol';
import type { AgentEvent } from '../agent-event.ts';
import type { FileGuard } from '../file-guard.ts';
import { grantOf, type ToolRights } from '../tools/tool-groups.ts';

export interface AcpFilesOptions {
  readonly files: Pick<FileGuard, 'readFile' | 'writeFile'>;
  readonly rights: ToolRights;
  /** Empty content is answered for a file that is not there, to agents that cannot take the error. */
  readonly missingFileIsEmpty: boolean;
  readonly tell: (event: AgentEvent) => void;
}

/** Serves an agent's `fs/*` requests through the guard of its attempt; what that refuses is told. */
export class AcpFiles {
  private readonly options: AcpFilesOptions;

  constructor(options: AcpFilesOptions) {
    this.options = options;
  }

  async read({ path, line, limit }: ReadTextFileRequest): Promise<{ content: string }> {
    try {
      const text = new TextDecoder().decode(await this.options.files.readFile(path));
      return { content: linesOf(text, line ?? undefined, limit ?? undefined) };
    } catch (error) {
      if (this.options.missingFileIsEmpty && isAppError(error) && error.code === 'E_NOT_FOUND')
        return { content: '' };
      throw this.refusal(`read ${path}`, error);
    }
  }

  async write({ path, content }: WriteTextFileRequest): Promise<Record<string, never>> {
    const { files, rights, tell } = this.options;
    if (grantOf(rights, 'edit') === undefined) {
      tell({
        kind: 'denied',
        what: `write ${path}`,
        code: 'E_TOOL_DENIED',
        reason: `the mode "${rights.slug}" edits nothing`,
      });
      throw RequestError.invalidParams({ path }, `the mode "${rights.slug}" edits nothing`);
    }
    try {
      await files.writeFile(path, content);
      tell({ kind: 'diff', path, after: content });
      return {};
    } catch (error) {
      throw this.refusal(`write ${path}`, error);
    }
  }

  /** The guard's answer for the agent, and for the log where it is a refusal and no plain miss. */
  private refusal(what: string, error: unknown): RequestError {
    if (!isAppError(error)) return RequestError.internalError({ what }, messageOf(error));
    if (error.code === 'E_NOT_FOUND') return RequestError.resourceNotFound(what);
    this.options.tell({ kind: 'denied', what, code: error.code, reason: error.message });
    return RequestError.invalidParams({ code: error.code }, error.message);
  }
}

/** From a line on, 1-based, so many. */
function linesOf(text: string, line: number | undefined, limit: number | undefined): string {
  if (line === undefined && limit === undefined) return text;
  const from = Math.max(0, (line ?? 1) - 1);
  return text
    .split('\n')
    .slice(from, limit === undefined ? undefined : from + limit)
    .join('\n');
}
