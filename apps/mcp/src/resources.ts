import {
  ResourceTemplate,
  type ListResourcesResult,
  type McpServer,
  type ReadResourceResult,
} from '@modelcontextprotocol/server';
import { AppError, type RunReport } from '@switchyard/protocol';
import type { Desk } from './desk.ts';
import { toolErrorOf } from './error-result.ts';
import { reportText } from './report-text.ts';
import { shapeOfAttempt, taskOf } from './tools/task-output.ts';
import { transcriptsOf } from './transcripts.ts';

/** Lines of the log in a transcript. */
const logLines = 1_000;

/** Plans, reports and transcripts, for clients that show or attach them. */
export function addResources(server: McpServer, desk: Desk): void {
  add(server, desk, {
    name: 'plan',
    path: 'plan',
    title: 'Plan of a run',
    mimeType: 'application/json',
    text: ({ plan }) => JSON.stringify(plan, undefined, 2),
  });
  add(server, desk, {
    name: 'report',
    path: 'report',
    title: 'Report of a run',
    mimeType: 'text/markdown',
    text: (report) => reportText(report, 'markdown'),
  });
  addTranscripts(server, desk);
}

interface OfRun {
  readonly name: string;
  readonly path: string;
  readonly title: string;
  readonly mimeType: string;
  readonly text: (report: RunReport) => string | Promise<string>;
}

function add(server: McpServer, desk: Desk, { name, path, title, mimeType, text }: OfRun): void {
  const list = async (): Promise<ListResourcesResult> => ({
    resources: (await desk.station.runNames()).map((run) => ({
      uri: `switchyard://runs/${run}/${path}`,
      name: `${run} ${path}`,
      title: `${title} ${run}`,
      mimeType,
    })),
  });
  const template = new ResourceTemplate(`switchyard://runs/{run}/${path}`, { list });
  server.registerResource(name, template, { title, mimeType }, (uri, { run }) =>
    answered(uri, mimeType, () =>
      desk.station.look(async (client) => {
        const known = await desk.run(client, { run: decoded(run) });
        return text((await client.report(known)).report);
      }),
    ),
  );
}

function addTranscripts(server: McpServer, desk: Desk): void {
  const template = new ResourceTemplate('switchyard://runs/{run}/tasks/{task}/transcript', {
    list: undefined,
  });
  const title = 'Transcript of a task';
  const mimeType = 'application/json';
  server.registerResource('transcript', template, { title, mimeType }, (uri, { run, task }) =>
    answered(uri, mimeType, () =>
      desk.station.look(async (client) => {
        const asked = await desk.task(client, { run: decoded(run), taskId: decoded(task) });
        const found = taskOf((await client.report(asked.run)).report, asked.taskId);
        const log: string[] = [];
        const keep = ({ line }: { line: string }): void => void log.push(line);
        await client.logs(asked, keep, { tail: logLines, follow: false });
        const attempts = found.task.attempts.map(shapeOfAttempt);
        const transcripts = await transcriptsOf(desk.config, asked, found.task.attempts);
        return JSON.stringify({ ...asked, phase: found.phase, attempts, transcripts, log }, undefined, 2);
      }),
    ),
  );
}

function decoded(value: string | readonly string[] | undefined): string {
  if (typeof value !== 'string') throw new AppError('E_USAGE', 'the address of the resource names no run');
  try {
    return decodeURIComponent(value);
  } catch (cause) {
    throw new AppError('E_USAGE', `${value} is not encoded as addresses are`, { cause });
  }
}

async function answered(
  uri: URL,
  mimeType: string,
  read: () => Promise<string>,
): Promise<ReadResourceResult> {
  try {
    return { contents: [{ uri: uri.href, mimeType, text: await read() }] };
  } catch (thrown) {
    const { code, message } = toolErrorOf(thrown);
    throw new Error(`${code}: ${message}`, { cause: thrown });
  }
}
