import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, isAbsolute } from 'node:path';
import { AppError, messageOf } from '@switchyard/protocol';
import { agentNames, agentTable, type AgentKind, type AgentTable } from './agent-table.ts';
import type { ProgramSearch } from './find-program.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The known agents with those of the operator's file. Throws AppError E_CONFIG. */
export function readAgents(file: string | undefined): AgentTable {
  if (file === undefined || file === '') return agentTable();
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new AppError('E_CONFIG', `the agents file ${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
  return agentTable(value);
}

/** Where programs of agents are looked for. `folders` is a list as PATH is. Throws AppError E_CONFIG. */
export function programSearch(folders: string | undefined, env: Environment): ProgramSearch {
  const list = (folders ?? '').split(delimiter).filter((folder) => folder !== '');
  const relative = list.find((folder) => !isAbsolute(folder));
  if (relative !== undefined)
    throw new AppError('E_CONFIG', `SWITCHYARD_AGENT_FOLDERS: ${relative} is no absolute path`);
  return { folders: list, searchPath: env['PATH'], home: env['HOME'] ?? homedir() };
}

/** The names that a plan may use. */
export function agentsByKind(table: AgentTable): Readonly<Record<AgentKind, readonly string[]>> {
  return { acp: agentNames(table, 'acp'), cli: agentNames(table, 'cli') };
}
