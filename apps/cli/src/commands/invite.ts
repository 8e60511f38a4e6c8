import type { PayloadOf } from '@switchyard/protocol';
import { Option, type Command } from 'commander';
import { commonOptions, type CommandContext } from '../context.ts';
import { withSession } from '../session.ts';
import { shellWord } from '@switchyard/protocol';

type Role = 'worker' | 'reviewer';

/** `invite`: the whole command for another machine, with a token that works once. */
export function addInvite(program: Command, context: CommandContext): void {
  program
    .command('invite')
    .description('print the command that attaches a worker or reviewer on another machine')
    .addOption(
      new Option('--role <role>', 'what it will be').choices(['worker', 'reviewer']).default('worker'),
    )
    .action(async ({ role }: { role: Role }, command: Command) => {
      const open = { context, options: commonOptions(command), mode: { kind: 'never' } as const };
      const invited = await withSession(open, ({ client }) => client.invite(role));
      context.terminal.err(
        `for one ${role}, once, until ${new Date(invited.expiresAt).toISOString()}; run on the other machine:\n`,
      );
      context.terminal.out(`${invitationCommand(role, invited)}\n`);
    });
}

/** The token goes by environment: command lines can be read by others on that machine. */
export function invitationCommand(role: Role, { url, fingerprint, token }: PayloadOf<'invited'>): string {
  return `SWITCHYARD_TOKEN=${shellWord(token)} switchyard ${role} --hub ${shellWord(url)} --fingerprint ${shellWord(fingerprint)}`;
}
