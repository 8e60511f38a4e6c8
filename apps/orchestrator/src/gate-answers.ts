import type { HttpBindings } from '@hono/node-server';
import { isAppError, registry, type ErrorCode } from '@switchyard/protocol';
import type { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Orchestrator } from './daemon.ts';

const bodyBytesMax = 256 * 1024;
/** What an answer that cannot be taken is told; anything else is a fault of ours. */
const statusOf: Partial<Record<ErrorCode, 404 | 409 | 422>> = {
  E_RUN_UNKNOWN: 404,
  E_TASK_UNKNOWN: 404,
  E_RUN_STATE: 409,
  E_GATE_INPUTS: 422,
};

/** `POST /api/runs/RUN/gates/TASK` with `{approve, note?, inputs?}`: what `switchyard gate` does, for other programs. */
export function addGateAnswers(app: Hono<{ Bindings: HttpBindings }>, daemon: () => Orchestrator): void {
  const limit = bodyLimit({
    maxSize: bodyBytesMax,
    onError: (c) => c.json({ error: `the answer is larger than ${bodyBytesMax} bytes` }, 413),
  });
  app.post('/api/runs/:run/gates/:task', limit, async (c) => {
    const { run, task: taskId } = c.req.param();
    const body: unknown = await c.req.json().catch(() => undefined); // told below as what it is: no object
    const answer = registry['gate-answer'].payload.safeParse({
      ...(body instanceof Object ? body : {}),
      run,
      taskId,
    });
    if (!answer.success) {
      const problems = answer.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
      return c.json(
        { error: 'send {"approve": true or false, "note": text, "inputs": {name: value}}', problems },
        400,
      );
    }
    try {
      await daemon().answerGate(answer.data);
      return c.json({ run, task: taskId, approve: answer.data.approve });
    } catch (error) {
      const status = isAppError(error) ? statusOf[error.code] : undefined;
      if (!isAppError(error) || status === undefined) throw error;
      return c.json({ error: error.message, code: error.code }, status);
    }
  });
}
