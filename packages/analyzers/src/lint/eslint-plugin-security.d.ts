declare module 'eslint-plugin-security' {
  import type { ESLint } from 'eslint';

  /** It brings no types of its own. */
  const plugin: ESLint.Plugin;
  export default plugin;
}
