/** A task that an agent wants added to its run. */
export interface SpawnRequest {
  readonly taskId: string;
  readonly workspacePath: string;
  readonly systemPrompt: string;
  readonly mcpServers: readonly string[];
}

/** What became of it; `workerId` is empty where nothing was spawned. */
export interface SpawnAnswer {
  readonly workerId: string;
  readonly status: 'spawned' | 'error';
  readonly workspace: string;
  readonly error?: string;
}
