/** What a file is for, told by its path: rules may leave out or be limited to a kind. */
export const pathKinds = ['tests', 'scripts'] as const;
export type PathKind = (typeof pathKinds)[number];

const testPath =
  /(^|\/)(tests?|__tests__|__mocks__|specs?|e2e|fixtures?|testkit)\/|[._-](test|spec)\.[cm]?[jt]sx?$/;
const scriptPath =
  /(^|\/)(bin|scripts?|tools?|cli|examples?|bench(marks?)?|\.github)\/|(^|\/)(main|cli|[\w.-]*\.config|gulpfile|gruntfile)\.[cm]?[jt]s$/i;

/** Whether a path is of a kind. */
export function isOfKind(path: string, kind: PathKind): boolean {
  switch (kind) {
    case 'tests':
      return testPath.test(path);
    case 'scripts':
      return scriptPath.test(path);
  }
}

/** The grammars we parse with; Tsx takes JavaScript too. */
export const sourceLanguages = ['TypeScript', 'Tsx'] as const;
export type SourceLanguage = (typeof sourceLanguages)[number];

/** The grammar for a file, or undefined for files that are no JavaScript or TypeScript. */
export function languageOf(path: string): SourceLanguage | undefined {
  if (/\.min\.[cm]?js$/i.test(path)) return undefined;
  if (/\.[cm]?ts$/i.test(path)) return 'TypeScript';
  return /\.([cm]?js|jsx|tsx)$/i.test(path) ? 'Tsx' : undefined;
}
