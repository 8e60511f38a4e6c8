import { draftPlan, parsePlan, type RepositoryFiles } from '@switchyard/plan';
import { overlaps, type Plan } from '@switchyard/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const executor = { kind: 'command', run: './agent' };

function filesOf(texts: Readonly<Record<string, unknown>>): RepositoryFiles {
  const known = new Map(
    Object.entries(texts).map(([path, text]) => [
      path,
      typeof text === 'string' ? text : JSON.stringify(text),
    ]),
  );
  return { paths: [...known.keys()].toSorted(), text: (path) => known.get(path) };
}

function drafted(
  texts: Readonly<Record<string, unknown>>,
  goal = 'Build a user system',
): { plan: Plan; yaml: string } {
  const yaml = draftPlan({ goal, files: filesOf(texts), executor });
  const { plan, problems } = parsePlan(yaml, { file: 'draft.yaml' });
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  if (plan === undefined) throw new Error(yaml);
  return { plan, yaml };
}

function shape({ tasks }: Plan): Record<string, { workspace: string[]; after: string[] }> {
  return Object.fromEntries(
    tasks.map(({ id, workspace, dependsOn }) => [id, { workspace, after: dependsOn.map(String) }]),
  );
}

const workspaces = {
  'package.json': {
    workspaces: ['packages/*', 'apps/*'],
    scripts: { test: 'vitest', typecheck: 'tsc', dev: 'x' },
  },
  'package-lock.json': '{}',
  'packages/models/package.json': { name: '@acme/models', scripts: { test: 'vitest' } },
  'packages/models/src/index.ts': '',
  'packages/auth/package.json': { name: '@acme/auth', dependencies: { '@acme/models': '*', zod: '4' } },
  'apps/web/package.json': { name: '@acme/web', devDependencies: { '@acme/auth': '*' } },
  'docs/index.md': '',
};

describe('a plan drafted from workspaces', () => {
  it('has a task for each package, after those it builds on, checked by its scripts and those of the root', () => {
    const { plan, yaml } = drafted(workspaces);
    expect(shape(plan)).toEqual({
      web: { workspace: ['apps/web'], after: ['auth'] },
      auth: { workspace: ['packages/auth'], after: ['models'] },
      models: { workspace: ['packages/models'], after: [] },
    });
    expect(plan.verify).toMatchObject({ run: ['npm run typecheck', 'npm run test'], when: 'end' });
    const models = plan.tasks.find(({ id }) => id === 'models');
    expect(models?.acceptance).toEqual([{ kind: 'run', run: 'npm run test --prefix packages/models' }]);
    expect(models?.instructions).toMatch(
      /Build a user system[^]*Other workers[^]*auth[^]*build on it[^]*auth/,
    );
    expect(plan.tasks.every((task) => task.executor.kind === 'command')).toBe(true);
    expect(yaml).toMatch(/^# Drafted from the workspaces/);
    expect(yaml).toMatch(/# Note: no project holds docs/);
  });

  it('takes only what the goal names, also where what is between them is left out', () => {
    const { plan, yaml } = drafted(workspaces, 'Let web show the models');
    expect(shape(plan)).toEqual({
      web: { workspace: ['apps/web'], after: ['models'] },
      models: { workspace: ['packages/models'], after: [] },
    });
    expect(yaml).toMatch(/# Note: the goal names @acme\/web, @acme\/models/);
  });

  it('reads pnpm workspaces, and leaves out what a pattern takes back', () => {
    const { plan } = drafted({
      'package.json': { scripts: { build: 'x', test: 'echo "Error: no test specified" && exit 1' } },
      'pnpm-workspace.yaml': 'packages:\n  - "libs/**"\n  - "!libs/old"\n',
      'pnpm-lock.yaml': '',
      'libs/a/package.json': { name: 'a' },
      'libs/deep/b/package.json': { name: 'b', dependencies: { a: 'workspace:*' } },
      'libs/old/package.json': { name: 'old' },
    });
    expect(shape(plan)).toEqual({
      a: { workspace: ['libs/a'], after: [] },
      b: { workspace: ['libs/deep/b'], after: ['a'] },
    });
    expect(plan.verify.run).toEqual(['pnpm run build']);
  });

  it('breaks a circle, and says so', () => {
    const { plan, yaml } = drafted({
      'package.json': { workspaces: ['*'] },
      'a/package.json': { name: 'a', dependencies: { b: '*' } },
      'b/package.json': { name: 'b', dependencies: { a: '*' } },
    });
    expect(plan.tasks.map(({ dependsOn }) => dependsOn.length).toSorted((a, b) => a - b)).toEqual([0, 1]);
    expect(yaml).toMatch(/need each other/);
  });

  it('gives a package with another inside it what is left', () => {
    const { plan } = drafted({
      'package.json': { workspaces: ['app', 'app/plugins/*'] },
      'app/package.json': { name: 'app' },
      'app/src/index.ts': '',
      'app/plugins/one/package.json': { name: 'one' },
      'app/plugins/shared.ts': '',
    });
    expect(shape(plan)).toMatchObject({
      app: { workspace: ['app/package.json', 'app/plugins/shared.ts', 'app/src'] },
      one: { workspace: ['app/plugins/one'] },
    });
  });

  it('does without manifests that are broken', () => {
    const { plan } = drafted({
      'package.json': { workspaces: ['p/*'] },
      'p/a/package.json': '{ broken',
      'p/b/package.json': { name: 7, dependencies: 'none' },
    });
    expect(Object.keys(shape(plan))).toEqual(['a', 'b']);
  });
});

describe('a plan drafted from Nx projects', () => {
  it('knows dependencies from imports through path aliases, and implicit ones', () => {
    const { plan, yaml } = drafted({
      'nx.json': {},
      'package.json': {},
      'tsconfig.base.json':
        '{ // comments are fine\n "compilerOptions": { "paths": { "@acme/data": ["libs/data/src/index.ts"], "@acme/ui/*": ["libs/ui/src/*"], } } }',
      'apps/shop/project.json': { name: 'shop', targets: { test: {}, serve: {} } },
      'apps/shop/src/main.ts':
        "import { x } from '@acme/data';\nimport('@acme/ui/button');\nimport './local';",
      'apps/shop-e2e/project.json': { name: 'shop-e2e', implicitDependencies: ['shop', 'nobody'] },
      'libs/data/project.json': { name: 'data' },
      'libs/data/src/index.ts': 'export const x = 1;',
      'libs/ui/project.json': { name: 'ui' },
      'libs/ui/src/button.ts': "export { x } from '@acme/data';",
    });
    expect(shape(plan)).toEqual({
      shop: { workspace: ['apps/shop'], after: ['data', 'ui'] },
      'shop-e2e': { workspace: ['apps/shop-e2e'], after: ['shop'] },
      data: { workspace: ['libs/data'], after: [] },
      ui: { workspace: ['libs/ui'], after: ['data'] },
    });
    expect(plan.tasks.find(({ id }) => id === 'shop')?.acceptance).toEqual([
      { kind: 'run', run: 'npx nx run shop:test' },
    ]);
    expect(yaml).toMatch(/^# Drafted from the Nx projects/);
  });
});

describe('a plan drafted from folders', () => {
  it('splits the source folder; tests, documents and what wires it come last', () => {
    const { plan } = drafted({
      'src/auth/a.ts': '',
      'src/api/b.ts': '',
      'src/index.ts': '',
      'test/all.test.ts': '',
      '.github/workflows/ci.yml': '',
      'README.md': '',
    });
    expect(shape(plan)).toEqual({
      api: { workspace: ['src/api'], after: [] },
      auth: { workspace: ['src/auth'], after: [] },
      test: { workspace: ['test'], after: ['api', 'auth'] },
      src: { workspace: ['src/index.ts'], after: ['api', 'auth'] },
    });
  });

  it('gives one task everything where there is nothing to split', () => {
    expect(shape(drafted({ 'a.txt': '' }).plan)).toEqual({ all: { workspace: ['.'], after: [] } });
  });
});

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,5}$/);
const folder = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const repository = fc
  .array(fc.record({ folder, needs: fc.array(name, { maxLength: 3 }), loose: fc.boolean() }), {
    maxLength: 8,
  })
  .chain((parts) => fc.tuple(fc.constant(parts), fc.constantFrom('workspaces', 'nx', 'folders')));

describe('whatever a repository is made of', () => {
  it('the draft passes every check, and no two workspaces overlap', () => {
    fc.assert(
      fc.property(repository, fc.string({ minLength: 1, maxLength: 30 }), ([parts, kind], goal) => {
        const texts: Record<string, unknown> = { 'package.json': { workspaces: ['**'] } };
        if (kind === 'nx') texts['nx.json'] = {};
        for (const part of parts) {
          const dependencies = Object.fromEntries(part.needs.map((need) => [need, '*']));
          const own = { name: part.folder.split('/').at(-1), dependencies, implicitDependencies: part.needs };
          if (kind !== 'folders') texts[`${part.folder}/${kind === 'nx' ? 'project' : 'package'}.json`] = own;
          if (part.loose || kind === 'folders') texts[`${part.folder}/file.ts`] = '';
        }
        const { plan } = drafted(texts, goal.trim() === '' ? 'a goal' : goal);
        const all = plan.tasks.flatMap(({ workspace }) => workspace);
        all.forEach((one, index) => {
          for (const other of all.slice(index + 1)) expect(overlaps([one], [other])).toBe(false);
        });
      }),
    );
  });
});
