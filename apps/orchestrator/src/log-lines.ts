import type { LogFilter } from '@switchyard/protocol';

/** Larger lines are not logs. */
export const lineCharactersMax = 16_384;

const levels: Readonly<Record<string, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
};

interface LogFields {
  readonly level?: unknown;
  readonly time?: unknown;
  readonly run?: unknown;
  readonly task?: unknown;
  readonly worker?: unknown;
  readonly daemon?: unknown;
}

/** When a line was written, to sort by, if it passes a filter; a line that is no JSON passes only an empty one. */
export function passing(line: string, filter: LogFilter): { readonly time: string } | undefined {
  const fields = fieldsOf(line);
  if (fields === undefined)
    return Object.values(filter).every((value) => value === undefined) ? { time: '' } : undefined;
  if (filter.level !== undefined && Number(fields.level ?? 0) < (levels[filter.level] ?? 0)) return undefined;
  if (filter.run !== undefined && fields.run !== filter.run) return undefined;
  if (filter.taskId !== undefined && fields.task !== filter.taskId) return undefined;
  if (filter.worker !== undefined && fields.worker !== filter.worker && fields.daemon !== filter.worker)
    return undefined;
  return { time: timeOf(fields) };
}

/** As ISO 8601, which sorts as text; pino writes that or milliseconds since the epoch. */
function timeOf({ time }: LogFields): string {
  if (typeof time === 'string') return time;
  return typeof time === 'number' && Math.abs(time) < 8.64e15 ? new Date(time).toISOString() : '';
}

function fieldsOf(line: string): LogFields | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined; // cut off by rotation or by a crash of its writer
  }
}

/** The daemon that a log file is of: `worker-1.3.ndjson` is worker-1's. */
export function daemonOf(fileName: string): string {
  return fileName.replace(/(\.remote)?(\.\d+)?\.ndjson$/, '').slice(0, 100);
}
