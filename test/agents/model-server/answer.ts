import { defaultUsage, type Reply, type Usage } from './script.ts';

/** What is sent: one JSON body, or the pieces of a stream. */
export interface Answer {
  readonly whole: unknown;
  readonly pieces: readonly string[];
}

/** One answer to make. */
export interface Making {
  readonly id: string;
  readonly model: string;
  readonly reply: Reply;
  readonly usage: Usage;
  /** The arguments, or the text of a freeform tool, as they are sent. */
  readonly argumentText: string;
  readonly atSecond: number;
}

export function makingOf(
  reply: Reply,
  facts: { readonly id: string; readonly model: string; readonly isMalformed: boolean },
): Making {
  const { call, step } = reply;
  const plain = call === undefined ? '' : 'input' in call ? call.input : JSON.stringify(call.args);
  return {
    id: facts.id,
    model: facts.model,
    reply,
    usage: step?.usage ?? defaultUsage,
    argumentText: facts.isMalformed ? `${plain.slice(0, Math.ceil(plain.length / 2))}"{` : plain,
    atSecond: Math.floor(Date.now() / 1000),
  };
}

/** A text in the pieces of a stream. */
export function chunksOf(content: string, { reply }: Making): string[] {
  const size = reply.step?.chunk ?? 24;
  const chunks: string[] = [];
  for (let at = 0; at < content.length; at += size) chunks.push(content.slice(at, at + size));
  return chunks.length === 0 ? [''] : chunks;
}

export function namedPiece(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

export function dataPiece(value: unknown): string {
  return `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;
}
