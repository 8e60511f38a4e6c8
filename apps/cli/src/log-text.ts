import { oneLine, padTo } from './show-text.ts';
import type { Painter } from './terminal.ts';

const levelNames: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** Fields that stand elsewhere in the line, or say nothing to people. */
const hidden: ReadonlySet<string> = new Set([
  ...['level', 'time', 'msg', 'daemon', 'pid', 'hostname', 'v', 'event'],
  ...['run', 'task', 'attempt'],
]);

/** A line of pino for people: time, level, daemon, `run/task#attempt`, message, then the other fields. */
export function logText(line: string, daemon: string, paint: Painter): string {
  const fields = fieldsOf(line);
  if (fields === undefined) return `${daemon}  ${oneLine(line)}`;
  const number = Number(fields['level']);
  const level = padTo(levelNames[number] ?? '', 5);
  const who = typeof fields['daemon'] === 'string' ? fields['daemon'] : daemon;
  const message = typeof fields['msg'] === 'string' ? oneLine(fields['msg']) : '';
  const rest = Object.entries(fields)
    .filter(([name, value]) => !hidden.has(name) && !(name === 'worker' && value === who))
    .map(([name, value]) => `${name}=${valueText(name, value)}`);
  return [
    paint.gray(timeText(fields['time'])),
    ` ${number >= 50 ? paint.red(level) : number >= 40 ? paint.yellow(level) : paint.gray(level)}`,
    ` ${padTo(who, 12)}`,
    subjectText(fields) === '' ? '' : `  ${paint.cyan(subjectText(fields))}`,
    `  ${message}`,
    rest.length === 0 ? '' : `  ${paint.gray(rest.join(' '))}`,
  ].join('');
}

/** What the line is about: a run, a task of it, an attempt at that. */
function subjectText({ run, task, attempt }: Record<string, unknown>): string {
  const isTold = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number';
  const names = [run, task].filter(isTold).map((name) => oneLine(String(name)));
  return `${names.join('/')}${isTold(attempt) ? `#${String(attempt)}` : ''}`;
}

function timeText(time: unknown): string {
  const date = new Date(typeof time === 'string' || typeof time === 'number' ? time : Number.NaN);
  if (Number.isNaN(date.getTime())) return '';
  const two = (number: number): string => String(number).padStart(2, '0');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${clock}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

function fieldsOf(line: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    // A line that a crash cut off, or that is none of pino: shown as it is.
    return undefined;
  }
}

function valueText(name: string, value: unknown): string {
  if (name === 'err' && typeof value === 'object' && value !== null && 'message' in value)
    return oneLine(String(value.message));
  const text = oneLine(typeof value === 'string' ? value : JSON.stringify(value));
  return /^[0-9a-f]{40}$/.test(text) ? text.slice(0, 10) : text;
}
