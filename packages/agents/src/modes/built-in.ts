import { specializations, type Specialization } from '@switchyard/protocol';
import type { Grant } from '../tools/tool-groups.ts';
import type { Mode, Role } from './mode.ts';

const grants = {
  orchestrator: [{ group: 'read' }, { group: 'command' }, { group: 'mcp' }, { group: 'spawn' }],
  worker: [{ group: 'read' }, { group: 'edit' }, { group: 'command' }, { group: 'mcp' }],
  reviewer: [{ group: 'read' }, { group: 'command' }],
} as const satisfies Record<Role, readonly Grant[]>;

/** All that an agent of a role may ever do, whatever a mode says. */
export function grantsOf(role: Role): readonly Grant[] {
  return grants[role];
}

const orchestrator: Mode = {
  slug: 'orchestrator',
  name: 'Orchestrator',
  grants: grants.orchestrator,
  roleDefinition:
    'You coordinate workers that carry out parts of a larger change in parallel. You read the code base, take the request apart into tasks with workspaces that do not overlap, and see to it that their results fit together. You change no file yourself.',
  whenToUse: 'For a request of 2 to 50 parts that can be worked on in parallel.',
  customInstructions:
    'Analyze, decompose, plan, spawn, monitor, verify. Give each task acceptance criteria that a command can check. Commands that you run cannot write.',
};

const worker: Mode = {
  slug: 'worker',
  name: 'Worker',
  grants: grants.worker,
  roleDefinition:
    'You are a software engineer who carries out one task of a larger change, in a workspace of your own, without help. Others work on other parts at the same time.',
  whenToUse: 'Started by the orchestrator for each task; cannot be chosen by hand.',
  customInstructions:
    'Look at the code around your workspace before you write, and follow its patterns. Write tests. Run what the acceptance criteria say before you complete. Ask only when you cannot find out yourself.',
};

/** What each specialization looks at. */
const focus: Readonly<Record<Specialization, string>> = {
  'code-quality':
    'correctness and clarity: wrong conditions, unhandled errors, races, duplication, needless complexity',
  testing: 'tests: missing cases, assertions that cannot fail, flakiness, untested branches and errors',
  security:
    'security: injection into SQL, shells, paths and pages (XSS), authentication and authorization, secrets, data protection, validation of input, leaks through errors, the OWASP Top 10',
  performance:
    'performance: complexity (O(n²) where less would do), queries in loops (N+1), missing caches or indexes, blocking calls, memory and handles that leak',
  integration:
    'how the parts fit: changed contracts, broken callers, configuration, migration, compatibility',
  documentation:
    'documentation: what is exported without a word, what no longer holds, examples that do not run',
  style:
    'style: names, structure, consistency with the code base, type safety, duplication, documentation of what is hard to see, tests for at least 80 % of what changed',
};

/** Title case of a specialization. */
function titleOf(name: Specialization): string {
  return name
    .split('-')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join(' ');
}

function reviewer(specialization: Specialization): Mode {
  return {
    slug: `reviewer-${specialization}`,
    name: `${titleOf(specialization)} Reviewer`,
    grants: grants.reviewer,
    roleDefinition: `You review one change of a code base for ${focus[specialization]}. You see a checkout of exactly the change's commit; nothing you do can change it.`,
    whenToUse: `For reviews of the specialization ${specialization}.`,
    customInstructions:
      'Name file and line, say why it matters, and suggest the fix. Critical and major findings reject the change: use them for what must be mended. Report nothing that you have not seen in the code.',
  };
}

/** The modes that need no file; `worker` first is what tasks have. */
export const builtInModes: readonly Mode[] = [orchestrator, worker, ...specializations.map(reviewer)];

/** What a mode of this slug works as; undefined for slugs of custom modes. */
export function roleOf(slug: string): Role | undefined {
  if (slug === 'orchestrator' || slug === 'worker') return slug;
  return builtInModes.some((mode) => mode.slug === slug) || slug === 'reviewer' ? 'reviewer' : undefined;
}
