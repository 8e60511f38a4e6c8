import { nearest } from '@switchyard/protocol';
import { CommanderError, type Command } from 'commander';

/** A command line that is wrong, with what the command that it meant takes. */
export class UsageError extends CommanderError {
  /** The names of the command, each with a space before it; empty: of the program itself. */
  readonly words: string;
  readonly usage: string;

  constructor(error: CommanderError, command: Command) {
    super(error.exitCode, error.code, messageOf(error, command));
    const names = namesOf(command);
    this.words = names
      .slice(1)
      .map((name) => ` ${name}`)
      .join('');
    this.usage = `${names.join(' ')} ${command.usage()}`;
  }
}

/** Every command below one tells what it takes itself when it is called wrongly; what was asked for stays as it is. */
export function tellOwnUsage(command: Command): void {
  command.exitOverride((error) => {
    throw error.exitCode === 0 ? error : new UsageError(error, command);
  });
  for (const each of command.commands) tellOwnUsage(each);
}

/** From the program down. */
function namesOf(command: Command): string[] {
  return [...(command.parent === null ? [] : namesOf(command.parent)), command.name()];
}

/** Of a command that takes a word or a name, a word that is misspelt is one too many. */
function messageOf({ code, message }: CommanderError, command: Command): string {
  const [first = ''] = command.args;
  const words = command.commands.map((one) => one.name());
  const meant = code === 'commander.excessArguments' ? nearest(first, words) : undefined;
  return meant === undefined
    ? message
    : `unknown command '${first}'\n(Did you mean ${[...namesOf(command).slice(1), meant].join(' ')}?)`;
}
