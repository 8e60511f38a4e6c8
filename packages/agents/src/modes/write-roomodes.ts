import { stringify } from 'yaml';
import type { Grant } from '../tools/tool-groups.ts';
import type { Mode } from './mode.ts';

export const roomodesFormats = ['yaml', 'json'] as const;
export type RoomodesFormat = (typeof roomodesFormats)[number];

/** Modes as a `.roomodes` file, in the form that `readRoomodes` reads. */
export function writeRoomodes(modes: readonly Mode[], format: RoomodesFormat): string {
  const file = { customModes: modes.map(fieldsOf) };
  return format === 'json' ? `${JSON.stringify(file, undefined, 2)}\n` : stringify(file, { lineWidth: 100 });
}

function fieldsOf({ slug, name, roleDefinition, whenToUse, customInstructions, grants }: Mode) {
  return {
    slug,
    name,
    roleDefinition,
    ...(whenToUse !== undefined && { whenToUse }),
    ...(customInstructions !== undefined && { customInstructions }),
    groups: grants.map(groupOf),
  };
}

/** A bare name, or a name with what restricts it. */
function groupOf({ group, ...options }: Grant): unknown {
  return Object.keys(options).length === 0 ? group : [group, options];
}
