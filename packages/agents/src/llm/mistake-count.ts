import type { LlmLimits } from './llm-limits.ts';

/** Counts turns of mistakes in a row, and the same call over and over, so that no agent spends money on going in a circle. */
export class MistakeCount {
  private readonly limits: Pick<LlmLimits, 'mistakes' | 'repeats'>;
  private row = 0;
  private last = '';
  private same = 0;

  constructor(limits: Pick<LlmLimits, 'mistakes' | 'repeats'>) {
    this.limits = limits;
  }

  get inARow(): number {
    return this.row;
  }

  get isOver(): boolean {
    return this.row >= this.limits.mistakes;
  }

  count(): void {
    this.row += 1;
  }

  /** Something was done. */
  clear(): void {
    this.row = 0;
  }

  /** Notes a call; whether the very same was made too often without another between. */
  isRepeated(tool: string, json: string): boolean {
    const call = `${tool} ${json}`;
    this.same = call === this.last ? this.same + 1 : 1;
    this.last = call;
    return this.same > this.limits.repeats;
  }
}
