import { errorTable, exitCodes, type ErrorCode } from '@switchyard/protocol';
import { operatingError } from '@switchyard/runtime';
import { CommanderError } from 'commander';
import { UsageError } from './usage-error.ts';

/** What a failed command says and how it ends. */
export interface Ending {
  readonly text: string;
  readonly exitCode: number;
}

/** One clear message, how to mend it, and the documented exit code, for anything thrown. */
export function endingOf(thrown: unknown): Ending {
  if (thrown instanceof CommanderError) return usageEnding(thrown);
  const error = operatingError(thrown);
  if (error !== undefined) return { text: errorText(error.code, error.message), exitCode: error.exitCode };
  const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return {
    text: `${errorText('E_INTERNAL', 'this is a bug in Switchyard')}${stack}\n`,
    exitCode: exitCodes.internal.code,
  };
}

/** Commander has printed what was asked for (help, version) by itself, with exit code 0. */
function usageEnding(error: CommanderError): Ending {
  if (error.exitCode === 0) return { text: '', exitCode: exitCodes.ok.code };
  const message = error.message.replace(/^error: /, '');
  return {
    text: message === '(outputHelp)' ? '' : usageText(error, message),
    exitCode: exitCodes.usage.code,
  };
}

/** With what the very command takes, where that is known. */
function usageText(error: CommanderError, message: string): string {
  if (!(error instanceof UsageError)) return errorText('E_USAGE', message);
  const { words, usage } = error;
  return `error E_USAGE: ${message}\n  usage: ${usage}; \`switchyard help${words}\` says more\n`;
}

/** Adds what the code means, unless the message says itself what to do, or the meaning only points to the message. */
function errorText(code: ErrorCode, message: string): string {
  const { text } = errorTable[code];
  const isEnough =
    /[`;]|switchyard \w|\?\)?$/.test(message) || /\bthe text (says|lists|has|ends)\b/.test(text);
  return `error ${code}: ${message}\n${isEnough ? '' : `  ${text}\n`}`;
}
