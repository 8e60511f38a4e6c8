import type { Script, Step } from './model-server/script.ts';

/**
 * The example of the field: an authentication system of five tasks, models first, then login, session and password
 * reset side by side, then the tests. What each agent writes is scripted; where it may write is the plan's.
 */

interface AuthTask {
  readonly id: string;
  readonly instructions: string;
  readonly workspace: string;
  readonly dependsOn: readonly string[];
  readonly files: Readonly<Record<string, string>>;
}

const middle = ['auth-login', 'auth-session', 'auth-password-reset'];

const authTasks: readonly AuthTask[] = [
  {
    id: 'auth-models',
    instructions: 'Create User and Session models with TypeScript interfaces',
    workspace: 'src/auth/models',
    dependsOn: [],
    files: {
      'src/auth/models/user.ts':
        'export interface User {\n  readonly id: string;\n  readonly name: string;\n}\n',
      'src/auth/models/session.ts':
        'export interface Session {\n  readonly user: string;\n  readonly expiresAt: number;\n}\n',
    },
  },
  {
    id: 'auth-login',
    instructions: 'Implement login endpoint with JWT generation',
    workspace: 'src/auth/login',
    dependsOn: ['auth-models'],
    files: {
      'src/auth/login/login.ts':
        "import type { User } from '../models/user.ts';\n\nexport function login(user: User): string {\n  return `of ${user.id}`;\n}\n",
    },
  },
  {
    id: 'auth-session',
    instructions: 'Implement session management middleware',
    workspace: 'src/auth/session',
    dependsOn: ['auth-models'],
    files: {
      'src/auth/session/session.ts':
        "import type { Session } from '../models/session.ts';\n\nexport function isOver(session: Session, now: number): boolean {\n  return session.expiresAt <= now;\n}\n",
    },
  },
  {
    id: 'auth-password-reset',
    instructions: 'Implement password reset flow with email',
    workspace: 'src/auth/password-reset',
    dependsOn: ['auth-models'],
    files: {
      'src/auth/password-reset/reset.ts':
        "import type { User } from '../models/user.ts';\n\nexport function mailFor(user: User): string {\n  return `Dear ${user.name}`;\n}\n",
    },
  },
  {
    id: 'auth-tests',
    instructions: 'Write integration tests for all auth endpoints',
    workspace: 'src/auth/__tests__',
    dependsOn: middle,
    files: {
      'src/auth/__tests__/auth.test.ts':
        "import { login } from '../login/login.ts';\n\nif (login({ id: '1', name: 'a' }) !== 'of 1') throw new Error('login');\n",
    },
  },
];

/** Every file that the plan makes, with what is in it. */
export const authFiles: Readonly<Record<string, string>> = Object.assign(
  {},
  ...authTasks.map(({ files }) => files),
) as Record<string, string>;

/** The plan with one executor for all tasks. */
export function authPlan(executor: object): string {
  const tasks = authTasks.map(({ id, instructions, workspace, dependsOn, files }) => ({
    id,
    instructions,
    workspace,
    dependsOn,
    acceptance: ['It is typed', ...Object.keys(files).map((file) => ({ run: `test -s ${file}` }))],
    review: { mode: 'required' },
  }));
  return JSON.stringify(
    { version: 1, name: 'auth', defaults: { executor, timeoutMinutes: 3 }, tasks },
    undefined,
    1,
  );
}

/** What the model does for each task: looks around, writes the files, and says so. */
export const authScript: Script = Object.fromEntries(
  authTasks.map(({ id, files }) => [
    id,
    [
      { shell: 'ls' },
      ...Object.entries(files).map(([path, content]): Step => ({ write: { path, content } })),
      { text: `the files of ${id} are written` },
    ],
  ]),
);
