import { installPinned, type InstalledPrograms } from './install-pinned.ts';

/** The real coding agents that tests run. */
export function installAgents(): Promise<InstalledPrograms> {
  return installPinned({
    fixture: 'pinned',
    // The one that is needed: it puts the binary of this platform in its place.
    scripts: ['node_modules/@anthropic-ai/claude-code/install.cjs'],
  });
}
