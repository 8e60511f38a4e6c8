import { attemptKey, type ModelUsage } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';
import type { AttemptReport } from '../src/attempt-report.ts';
import { withModels } from '../src/model-report.ts';
import type { ModelTalk } from '../src/ports.ts';

const attempt = attemptKey.parse({ run: 'demo-abc', taskId: 'a', attempt: 1, fence: 1 });
const usage: ModelUsage = {
  provider: 'anthropic',
  model: 'm',
  requests: 1,
  inputTokens: 1,
  cachedTokens: 0,
  outputTokens: 1,
  microUsd: 5,
};

function modelsOf(used: ModelUsage[]): ModelTalk & { forgotten: number } {
  const models = {
    forgotten: 0,
    attach: () => undefined,
    connected: () => undefined,
    granted: () => undefined,
    usageOf: () => used,
    heldMs: () => 0,
    forget: () => void (models.forgotten += 1),
  };
  return models;
}

describe('the last word of an attempt', () => {
  it('has what it used of models, and nothing where it used none', () => {
    const lost: AttemptReport = { type: 'task-lost', payload: { ...attempt, reason: 'gone' } };
    const models = modelsOf([usage]);
    expect(withModels(attempt, lost, models).payload.usage).toEqual([usage]);
    expect(models.forgotten).toBe(1);
    expect(withModels(attempt, lost, modelsOf([]))).toBe(lost);
    expect(withModels(attempt, lost, undefined)).toBe(lost);
  });
});
