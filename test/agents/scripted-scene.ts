import { afterEach, beforeEach } from 'vitest';
import { Scenario } from '../scenarios/harness.ts';
import { openModelServer, type ModelServer } from './model-server/model-server.ts';
import type { Script } from './model-server/script.ts';

/** A model that says what a script says, and a repository; both are new for each test. */
export interface ScriptedScene {
  readonly server: ModelServer;
  readonly scenario: Scenario;
  /** What programs of agents in a folder need to ask that model. */
  environment(agents: string): Readonly<Record<string, string>>;
}

export function useScriptedScene(script: Script): ScriptedScene {
  let open: { readonly server: ModelServer; readonly scenario: Scenario } | undefined;
  beforeEach(async () => {
    open = { server: await openModelServer({ script }), scenario: new Scenario({ 'README.md': '# Shop\n' }) };
  });
  afterEach(async () => {
    await open?.scenario.close();
    await open?.server.close();
  });
  const parts = (): NonNullable<typeof open> => {
    if (open === undefined) throw new Error('the scene is there in a test only');
    return open;
  };
  return {
    get server() {
      return parts().server;
    },
    get scenario() {
      return parts().scenario;
    },
    environment: (agents) => ({
      SWITCHYARD_AGENT_FOLDERS: agents,
      ANTHROPIC_BASE_URL: parts().server.url,
      ANTHROPIC_API_KEY: 'a-key-of-the-user',
      OPENAI_BASE_URL: `${parts().server.url}/v1`,
      OPENAI_API_KEY: 'a-key-of-the-user',
    }),
  };
}
