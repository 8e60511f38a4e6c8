import { systemClock } from '@switchyard/runtime';
import type { Command } from 'commander';
import { commonOptions, type CommandContext, type CommonOptions } from '../context.ts';
import { withSession } from '../session.ts';
import { durationText, foldWidth, tableText } from '../show-text.ts';

/**
 * `workers`: who is connected and what they do, who is missed, and who has died lately; `workers stop NAME` ends one,
 * `workers revoke NAME` lets one in no more.
 */
export function addWorkers(program: Command, context: CommandContext): void {
  const workers = program
    .command('workers')
    .description('list the workers and reviewers: alive, unverifiable or dead, and for how long')
    .option('--json', 'as JSON')
    .action((_options, command: Command) => list(command.optsWithGlobals(), context));
  workers
    .command('stop <name>')
    .description('drain and end one worker or reviewer')
    .action(async (name: string, _options, command: Command) => {
      const open = { context, options: commonOptions(command), mode: { kind: 'never' } as const };
      await withSession(open, ({ client }) => client.terminateWorker(name));
      context.terminal.out(`${name} drains and ends\n`);
    });
  workers
    .command('revoke <name>')
    .description('take the token of an invited worker or reviewer away; what it holds goes to others')
    .action(async (name: string, _options, command: Command) => {
      const open = { context, options: commonOptions(command), mode: { kind: 'never' } as const };
      await withSession(open, ({ client }) => client.revokeWorker(name));
      context.terminal.out(`${name} is let in no more; \`switchyard invite\` makes a new token\n`);
    });
}

async function list(options: CommonOptions & { json?: boolean }, context: CommandContext): Promise<void> {
  const fleet = await withSession({ context, options, mode: { kind: 'never' } }, ({ client }) =>
    client.fleet(),
  );
  if (options.json === true) return context.terminal.out(`${JSON.stringify(fleet, undefined, 2)}\n`);
  const now = systemClock.now();
  const rows = fleet.peers.map((peer) => [
    peer.peer,
    peer.role,
    peer.liveness ?? '',
    durationText(now - (peer.livenessSince ?? peer.since)),
    peer.state === peer.liveness ? '' : peer.state,
    `${peer.busy}/${peer.slots}`,
    peer.pid === 0 ? '' : `${peer.pid} on ${peer.host}`,
    peer.reason ?? peer.labels.join(' '),
  ]);
  const { terminal } = context;
  terminal.out(`orchestrator ${fleet.version} at ${fleet.url}\n`);
  if (rows.length === 0)
    return terminal.out('nobody is connected; `switchyard worker` attaches one, and a run starts its own\n');
  const [head = '', ...lines] = tableText(
    [
      ['name', 'role', 'contact', 'for', 'state', 'busy', 'process', 'labels, or why it is not there'],
      ...rows,
    ],
    { width: foldWidth(terminal) },
  );
  terminal.out(`${[terminal.paint.gray(head), ...lines].join('\n')}\n`);
}
