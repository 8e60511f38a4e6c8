import { win32 } from 'node:path';
import { GuardError } from './guard-error.ts';

export interface LexicalOptions {
  readonly platform: 'linux' | 'darwin' | 'win32';
  /** The workspace; only Windows needs it to tell outside from inside without a file system. */
  readonly root: string;
}

const pathBytesMax = 4095;
const nameBytesMax = 255;

/** Characters that are not seen, or that change how others are seen: format characters and blank fillers. */
const invisible = /(?!\p{Variation_Selector})[\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800]/u;

/** The part of the path rules that needs no file system. Gives the path back, or throws a GuardError. */
export function checkLexical(path: unknown, options: LexicalOptions): string {
  if (typeof path !== 'string')
    throw new GuardError('E_PATH_INVALID', 'A path is a text', { path: String(typeof path) });
  if (options.platform === 'linux' && path.length <= nameBytesMax && ordinary.test(path)) return path;
  const reason = commonReason(path);
  if (reason !== undefined) throw new GuardError('E_PATH_INVALID', reason, { path });
  if (options.platform === 'win32') checkWindows(path, options.root);
  else if (path.includes('\\')) throw invalid(path, 'A backslash in a path');
  else if (options.platform === 'darwin') checkDarwin(path);
  return path;
}

/** Bytes of one argument of a program, as Linux limits them. */
const commandBytesMax = 131_071;

/** The same for a shell line: gives it back, or throws E_PATH_INVALID for what no shell can be given. */
export function checkCommand(command: unknown): string {
  if (typeof command !== 'string')
    throw new GuardError('E_PATH_INVALID', 'A command is a text', { path: typeof command });
  const reason = commandReason(command);
  if (reason !== undefined) throw invalid(command, reason);
  return command;
}

function commandReason(command: string): string | undefined {
  if (command.trim() === '') return 'An empty command';
  if (command.includes('\0')) return 'A NUL byte in a command';
  if (/\p{Cs}/u.test(command)) return 'Bad Unicode in a command';
  return Buffer.byteLength(command) > commandBytesMax ? 'The command is too long' : undefined;
}

/** Most paths: letters, digits and a few signs, which break no rule; one look instead of eight. */
const ordinary = /^[\w./][\w./@+-]*$/;

function commonReason(path: string): string | undefined {
  if (path.trim() === '') return 'An empty path';
  if (/\p{Cs}/u.test(path)) return 'Bad Unicode in a path';
  if (/\p{Cc}/u.test(path)) return 'A control character in a path';
  if (invisible.test(path)) return 'An invisible character in a path';
  if (Buffer.byteLength(path) > pathBytesMax) return 'The path is too long';
  if (path.split('/').some((name) => Buffer.byteLength(name) > nameBytesMax))
    return 'A name in the path is too long';
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(path) || /^file:/i.test(path)) return 'A URL is no path';
  if (path.startsWith('~')) return 'Home folders are not expanded';
  return undefined;
}

/** macOS reaches the other fork of a file, and any file by its number, through names. */
function checkDarwin(path: string): void {
  if (/(?:^|\/)\.\.namedfork(?:\/|$)/i.test(path)) throw invalid(path, 'A fork of a file');
  if (/^\/+\.(?:vol|resolve|nofollow)(?:\/|$)/i.test(path)) throw invalid(path, 'A path by file number');
}

const deviceName =
  /^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[\d\u00b9\u00b2\u00b3]|lpt[\d\u00b9\u00b2\u00b3])$/i;

function checkWindows(path: string, root: string): void {
  if (/^[\\/]{2}|^\\\?\?\\/.test(path)) throw outside(path, root);
  if (/^[a-z]:(?![\\/])/i.test(path)) throw invalid(path, 'A path relative to a drive');
  for (const name of path.replace(/^[a-z]:/i, '').split(/[\\/]/)) {
    const reason = windowsNameReason(name);
    if (reason !== undefined) throw invalid(path, reason);
  }
  const fold = (text: string): string => text.replace(/./gsu, foldLetter).replace(/\\$/, '');
  const resolved = fold(win32.resolve(root, path));
  if (resolved !== fold(root) && !resolved.startsWith(`${fold(root)}\\`)) throw outside(path, root);
}

/** Only letters that are a pair both ways: to Windows the Kelvin sign is no k, and a long s is no s. */
function foldLetter(letter: string): string {
  const lower = letter.toLowerCase();
  const upper = letter.toUpperCase();
  return lower.toUpperCase() === upper && upper.toLowerCase() === lower ? lower : letter;
}

function windowsNameReason(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..') return undefined;
  if (name.includes(':')) return 'A stream of a file';
  if (/[<>"|?*]/.test(name)) return 'A character that Windows does not allow';
  if (/[. ]$/.test(name)) return 'A name that ends in a dot or a space';
  if (deviceName.test((name.split('.')[0] ?? '').trimEnd())) return 'A name of a device';
  if (/^[^.~]{1,6}~\d+(?:\.[^.]{0,3})?$/.test(name)) return 'A short 8.3 name';
  return undefined;
}

function invalid(path: string, reason: string): GuardError {
  return new GuardError('E_PATH_INVALID', reason, { path });
}

function outside(path: string, root: string): GuardError {
  return new GuardError('E_OUTSIDE_WORKSPACE', 'File access denied: outside workspace', {
    path,
    roots: [root],
  });
}
