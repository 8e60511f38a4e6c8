import type { Severity, Specialization } from '@switchyard/protocol';

interface OxlintRule {
  readonly specialization: Specialization;
  readonly severity: Severity;
}

const table = (
  specialization: Specialization,
  severity: Severity,
  rules: readonly string[],
): [string, OxlintRule][] => rules.map((rule) => [rule, { specialization, severity }]);

/**
 * What each oxlint rule of ours means in a review; the rules are turned on in `config/oxlint.json` (a test holds
 * both together). Major: the code does not do what it says.
 */
export const oxlintRules: ReadonlyMap<string, OxlintRule> = new Map([
  ...table('code-quality', 'major', [
    'eslint(constructor-super)',
    'eslint(for-direction)',
    'eslint(getter-return)',
    'eslint(no-compare-neg-zero)',
    'eslint(no-const-assign)',
    'eslint(no-constant-binary-expression)',
    'eslint(no-dupe-class-members)',
    'eslint(no-dupe-else-if)',
    'eslint(no-dupe-keys)',
    'eslint(no-duplicate-case)',
    'eslint(no-func-assign)',
    'eslint(no-import-assign)',
    'eslint(no-invalid-regexp)',
    'eslint(no-loss-of-precision)',
    'eslint(no-obj-calls)',
    'eslint(no-self-assign)',
    'eslint(no-setter-return)',
    'eslint(no-this-before-super)',
    'eslint(no-unsafe-negation)',
    'eslint(no-unsafe-optional-chaining)',
    'eslint(use-isnan)',
    'eslint(valid-typeof)',
    'oxc(bad-array-method-on-arguments)',
    'oxc(bad-char-at-comparison)',
    'oxc(bad-comparison-sequence)',
    'oxc(bad-match-all-arg)',
    'oxc(bad-min-max-func)',
    'oxc(bad-object-literal-comparison)',
    'oxc(bad-replace-all-arg)',
    'oxc(const-comparisons)',
    'oxc(missing-throw)',
    'oxc(number-arg-out-of-range)',
    'unicorn(no-await-in-promise-methods)',
    'unicorn(no-invalid-remove-event-listener)',
    'unicorn(no-thenable)',
  ]),
  ...table('code-quality', 'minor', [
    'eslint(complexity)',
    'eslint(no-cond-assign)',
    'eslint(no-constant-condition)',
    'eslint(no-unreachable)',
    'eslint(no-unused-vars)',
    'eslint(no-useless-catch)',
    'eslint(no-fallthrough)',
    'unicorn(no-useless-fallback-in-spread)',
  ]),
  ...table('style', 'major', ['eslint(no-debugger)']),
  ...table('style', 'minor', [
    'eslint(eqeqeq)',
    'eslint(no-empty-pattern)',
    'eslint(no-sparse-arrays)',
    'eslint(no-unused-labels)',
    'eslint(no-useless-rename)',
    'eslint(no-with)',
    'eslint(prefer-const)',
    'typescript(no-non-null-asserted-optional-chain)',
    'typescript(no-unsafe-function-type)',
    'typescript(no-wrapper-object-types)',
  ]),
  ...table('performance', 'minor', ['oxc(no-accumulating-spread)']),
  ...table('performance', 'info', ['unicorn(prefer-set-has)', 'unicorn(prefer-array-flat-map)']),
  ...table('security', 'minor', ['eslint(no-script-url)', 'eslint(no-proto)', 'eslint(no-control-regex)']),
  ...table('security', 'info', ['unicorn(no-document-cookie)']),
]);
