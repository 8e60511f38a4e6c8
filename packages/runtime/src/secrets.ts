/** Keys of the forms that providers give out, and headers that carry one. */
const secretForms =
  /\b(?:sk|pk|rk|ghp|gho|ghs|github_pat|glpat|xox[abp]|AIza)[-_][A-Za-z0-9_-]{16,}|\bAKIA[A-Z0-9]{16}\b|\bAIza[A-Za-z0-9_-]{30,}|(?<=\bBearer )[A-Za-z0-9._~+/-]{16,}=*|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;

/** Takes secrets out of texts: known values, and what has the form of one. No text is longer afterwards: it fits where it did. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const known = [...new Set(secrets)].filter((secret) => secret.length >= 8);
  return (text) => {
    let shown = text;
    for (const secret of known) shown = shown.replaceAll(secret, '[Redacted]');
    return shown.replace(secretForms, '[Redacted]').slice(0, text.length);
  };
}

/** Values of the daemon's environment that its name says are secret: no agent is given them, and no file may hold them. */
export function secretsOf(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && /(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)$/i.test(name) ? [value] : [],
  );
}
