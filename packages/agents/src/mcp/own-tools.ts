import type { AgentEvent } from '../agent-event.ts';
import { handInPlan, spawnParallelInstance } from '../tools/outward-tools.ts';
import type { ToolRights } from '../tools/tool-groups.ts';
import type { ToolPorts } from '../tools/tool.ts';
import { openToolbox } from '../tools/toolbox.ts';
import type { OwnTool } from './own-server.ts';

const orchestratorTools = [spawnParallelInstance, handInPlan];
/** What permissions and prompts know them by. */
export const orchestratorToolNames = orchestratorTools.map(({ name }) => name);

/**
 * What an agent's program in the mode of an orchestrator is offered, as our own loop is. Whoever calls it in another mode
 * is refused here, and that is told: an agent can name a tool that it was never shown.
 */
export function ownTools(
  rights: ToolRights,
  ports: ToolPorts,
  tell: (event: AgentEvent) => void,
): readonly OwnTool[] {
  const box = openToolbox(rights, ports, orchestratorTools);
  return orchestratorTools.map(({ name, description, parameters }) => ({
    name,
    description,
    parameters,
    isHidden: !box.tools.some((tool) => tool.name === name),
    async call(input) {
      const outcome = await box.call(name, input);
      switch (outcome.kind) {
        case 'answer':
          return outcome.text;
        case 'error':
          if (outcome.code === 'E_TOOL_DENIED')
            tell({ kind: 'denied', what: name, code: outcome.code, reason: outcome.text });
          throw new Error(outcome.text);
        case 'completed':
        case 'escalated':
          throw new Error(`a bug: ${name} ends no turn`);
      }
    },
  }));
}
