/** The name by which every peer may address the hub, whatever its own id. */
export const hubAddress = 'orchestrator';
