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
const hidden: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'daemon', 'pid', 'hostname', 'v']);

/** A line of pino for people: time, level, daemon, message, then the fields as `name=value`. */
export function logText(line: string, daemon: string, paint: Painter): string {
  const fields = fieldsOf(line);
  if (fields === undefined) return `${daemon}  ${oneLine(line)}`;
  const time = typeof fields['time'] === 'string' ? fields['time'].slice(11, 23) : '';
  const level = padTo(levelNames[Number(fields['level'])] ?? '', 5);
  const painted =
    Number(fields['level']) >= 50
      ? paint.red(level)
      : Number(fields['level']) >= 40
        ? paint.yellow(level)
        : paint.gray(level);
  const rest = Object.entries(fields)
    .filter(([name]) => !hidden.has(name))
    .map(([name, value]) => `${name}=${valueText(name, value)}`);
  const who = typeof fields['daemon'] === 'string' ? fields['daemon'] : daemon;
  const message = typeof fields['msg'] === 'string' ? oneLine(fields['msg']) : '';
  return `${paint.gray(time)} ${painted} ${padTo(who, 14)} ${message} ${paint.gray(rest.join(' '))}`.trimEnd();
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
  return oneLine(typeof value === 'string' ? value : JSON.stringify(value));
}
