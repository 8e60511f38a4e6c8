import { agentTable } from '@switchyard/agents';

const models = '.pi/agent/models.json';

/** Pi as an agent that takes no MCP servers: an entry of the file that SWITCHYARD_AGENTS names. */
export function wordsOnly(): object {
  const pi = agentTable().get('pi');
  const homeFiles = { [models]: pi?.cli?.homeFiles[models] };
  return { title: 'Pi without MCP servers', needsModel: true, cli: { ...pi?.cli, homeFiles } };
}
