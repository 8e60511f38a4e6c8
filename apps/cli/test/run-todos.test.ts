import type { RunView } from '@switchyard/protocol';
import pc from 'picocolors';
import { expect, it } from 'vitest';
import { runTodos, todoLines } from '../src/run-todos.ts';
import { viewOf } from './stand-in-hub.ts';

const [model] = viewOf().tasks;
const task = (more: object): RunView['tasks'][number] => ({ ...model, ...more }) as RunView['tasks'][number];

it('has a list for each item of a pipeline and one for the rest, several in progress', () => {
  const lists = runTodos({
    name: 'changes',
    tasks: [
      task({ id: 'change/users/implement', phase: 'completed' }),
      task({
        id: 'change/users/deploy',
        kind: 'manual',
        phase: 'waiting',
        dependsOn: ['change/users/implement'],
      }),
      task({ id: 'change/orders/implement', phase: 'failed', reason: 'no disk' }),
      task({ id: 'change/orders/review', kind: 'review', dependsOn: ['change/orders/implement'] }),
      task({ id: 'notes', phase: 'running', dependsOn: ['change/orders/implement'] }),
    ],
  });
  expect(lists).toEqual([
    {
      item: 'change/users',
      todos: [
        { content: 'Do implement', status: 'completed', activeForm: 'Doing implement', priority: 'medium' },
        {
          content: 'Have a person answer deploy',
          status: 'in_progress',
          activeForm: 'Waiting for a person at deploy',
          priority: 'low',
        },
      ],
    },
    {
      item: 'change/orders',
      todos: [
        {
          content: 'Do implement (failed: no disk)',
          status: 'pending',
          activeForm: 'Doing implement',
          priority: 'high',
        },
        { content: 'Review review', status: 'pending', activeForm: 'Reviewing review', priority: 'low' },
      ],
    },
    {
      item: 'changes',
      todos: [{ content: 'Do notes', status: 'in_progress', activeForm: 'Doing notes', priority: 'low' }],
    },
  ]);
  expect(todoLines(lists, pc.createColors(false)).slice(0, 3)).toEqual([
    'change/users 1/2',
    '  ✓ Do implement',
    '  ▸ Waiting for a person at deploy',
  ]);
});
