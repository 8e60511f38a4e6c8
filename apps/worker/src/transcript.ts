import { closeSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentEvent } from '@switchyard/agents';
import { limits } from '@switchyard/protocol';
import { makeFolderSync, redactor, type Clock } from '@switchyard/runtime';

/** What one event may take; its long texts are cut, and say so. */
const textMax = 64 * 1024;

export interface TranscriptOptions {
  /** All transcripts of this worker. */
  readonly folder: string;
  readonly name: string;
  readonly clock: Clock;
  /** Values that never reach the file, beside those that look like secrets. */
  readonly secrets: readonly string[];
}

/**
 * What the agent of one attempt said and did, one JSON line an event, kept when the attempt is gone. Of one that grows
 * too long the first and the last lines are kept, and a line between them says how much is missing.
 */
export class Transcript {
  readonly file: string;
  private readonly descriptor: number;
  private readonly clock: Clock;
  private readonly redact: (text: string) => string;
  private headLeft = limits.transcriptBytes / 2;
  private isHeadFull = false;
  private tail: string[] = [];
  private tailBytes = 0;
  private dropped = { lines: 0, bytes: 0 };
  private isOpen = true;

  constructor(options: TranscriptOptions) {
    makeFolderSync(options.folder, 0o700);
    forgetOldest(options.folder);
    this.file = join(options.folder, `${options.name}.ndjson`);
    this.descriptor = openSync(this.file, 'w', 0o600);
    this.clock = options.clock;
    this.redact = redactor(options.secrets);
  }

  /** The event as it may be shown: without secrets, its long texts cut. */
  shown(event: AgentEvent): AgentEvent {
    return shortened(event, this.redact) as AgentEvent;
  }

  write(event: AgentEvent): void {
    if (!this.isOpen) return;
    const line = `${JSON.stringify({ at: new Date(this.clock.now()).toISOString(), ...this.shown(event) })}\n`;
    const bytes = Buffer.byteLength(line);
    if (!this.isHeadFull && bytes <= this.headLeft) {
      this.headLeft -= bytes;
      writeSync(this.descriptor, line);
      return;
    }
    this.isHeadFull = true;
    this.keepInTail(line, bytes);
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    const { lines, bytes } = this.dropped;
    if (lines > 0) writeSync(this.descriptor, `${JSON.stringify({ kind: 'gap', lines, bytes })}\n`);
    for (const line of this.tail) writeSync(this.descriptor, line);
    closeSync(this.descriptor);
  }

  private keepInTail(line: string, bytes: number): void {
    this.tail.push(line);
    this.tailBytes += bytes;
    while (this.tailBytes > limits.transcriptBytes / 2) {
      const oldest = this.tail.shift() ?? '';
      const size = Buffer.byteLength(oldest);
      this.tailBytes -= size;
      this.dropped = { lines: this.dropped.lines + 1, bytes: this.dropped.bytes + size };
    }
  }
}

function shortened(value: unknown, redact: (text: string) => string, depth = 0): unknown {
  if (typeof value === 'string') {
    // Cut first: the forms are looked for in what is kept, not in megabytes.
    const cut = value.length > textMax ? `${value.slice(0, textMax)} … (${value.length} signs)` : value;
    return redact(cut);
  }
  if (typeof value !== 'object' || value === null) return value;
  if (depth > 8) return '…';
  if (Array.isArray(value)) return value.slice(0, 1_000).map((item) => shortened(item, redact, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [redact(name), shortened(item, redact, depth + 1)]),
  );
}

/** A worker keeps so many transcripts; the oldest go. */
function forgetOldest(folder: string): void {
  const files = readdirSync(folder).filter((name) => name.endsWith('.ndjson'));
  if (files.length < limits.transcriptsKept) return;
  const byAge = files
    .map((name) => ({ name, at: statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => a.at - b.at);
  for (const { name } of byAge.slice(0, files.length - limits.transcriptsKept + 1))
    rmSync(join(folder, name), { force: true });
}
