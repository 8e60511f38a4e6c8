import type { Severity, Specialization } from '@switchyard/protocol';
import { analyzerLimits } from './analyzer-limits.ts';
import type { PlacedFinding } from './engine.ts';

/** A check that needs no grammar: one line of one kind of file. */
interface TextCheck {
  readonly id: string;
  readonly specializations: readonly Specialization[];
  readonly severity: Severity;
  readonly path: RegExp;
  readonly line: RegExp;
  /** The whole text has to hold this, or must not. */
  readonly with?: RegExp;
  readonly without?: RegExp;
  readonly message: string;
  readonly suggestion: string;
  readonly references: readonly string[];
}

const anyFile = /./;
const shell =
  /(\.(sh|bash|zsh|ksh)|(^|\/)(Dockerfile|Containerfile)[^/]*|\.dockerfile|(^|\/)Makefile|\.mk)$/i;
const shellOrWorkflow = new RegExp(`${shell.source}|\\.ya?ml$`, 'i');
const manifest = /(^|\/)package\.json$/;
const image = /(^|\/)(Dockerfile|Containerfile)[^/]*$|\.dockerfile$/i;
const workflow = /(^|\/)\.github\/workflows\/[^/]+\.ya?ml$|(^|\/)action\.ya?ml$/;
const compose = /(^|\/)(docker-)?compose[\w.-]*\.ya?ml$/i;

/** Lines longer than this are only looked at up to here, so that no pattern meets a megabyte. */
const lineCharactersMax = 10_000;

export const textChecks: readonly TextCheck[] = [
  {
    id: 'private-key',
    specializations: ['security'],
    severity: 'critical',
    path: anyFile,
    line: /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/,
    message: 'A private key stands in the file; whoever can read the repository has it, for ever.',
    suggestion: 'Take it out of the file and out of the history, and replace it.',
    references: ['CWE-321'],
  },
  {
    id: 'conflict-marker',
    specializations: ['security', 'code-quality', 'style', 'integration'],
    severity: 'critical',
    path: anyFile,
    line: /^(?:<{7} \S|>{7} \S|\|{7} \S)/,
    message: 'A merge was left half done: a conflict marker stands in the file.',
    suggestion: 'Decide between both sides and remove the markers.',
    references: [],
  },
  {
    id: 'pipe-to-shell',
    specializations: ['security'],
    severity: 'major',
    path: shellOrWorkflow,
    line: /\b(?:curl|wget)\b[^|#]{0,500}\|\s{0,9}(?:sudo\s{1,9}(?:-\w{1,9}\s{1,9})?)?(?:\/(?:usr\/)?bin\/)?(?:ba|z|k|da)?sh\b/,
    message: 'A script from the network is run as it comes; whoever controls the server runs commands here.',
    suggestion: 'Download it, check its digest, then run it; or install a package.',
    references: ['CWE-494'],
  },
  {
    id: 'chmod-everybody',
    specializations: ['security'],
    severity: 'major',
    path: shellOrWorkflow,
    line: /\bchmod\s{1,9}(?:-\w{1,9}\s{1,9}){0,3}(?:0?[0-7]{2}[2367]|[ao]*[ao]\+[rx]*w[rx]*)\b/,
    message: 'Everybody on the machine may change the file.',
    suggestion: 'Give write access to the owner only: 755 for programs, 644 for files.',
    references: ['CWE-732'],
  },
  {
    id: 'tls-unverified',
    specializations: ['security'],
    severity: 'major',
    path: shellOrWorkflow,
    line: /\b(?:curl\b[^#|]{0,300}\s(?:-\w{0,9}k\w{0,9}|--insecure)(?:\s|$)|wget\b[^#|]{0,300}--no-check-certificate\b|NODE_TLS_REJECT_UNAUTHORIZED=['"]?0|GIT_SSL_NO_VERIFY=)/,
    message: 'The certificate of the server is not checked; anybody in between can change what comes.',
    suggestion: 'Leave the check on; name the authority of a private certificate.',
    references: ['CWE-295'],
  },
  {
    id: 'remove-from-variable-root',
    specializations: ['security', 'code-quality'],
    severity: 'major',
    path: shell,
    line: /\brm\s{1,9}-\w{0,9}[rR]\w{0,9}\s{1,9}(?:--\s{1,9})?"?\$\{?\w{1,64}\}?"?\/(?:\*|\s|$)/,
    message: 'When the variable is empty, this removes everything from the root of the disk.',
    suggestion: 'Write ${NAME:?} so that the script stops when it is empty.',
    references: ['CWE-459'],
  },
  {
    id: 'hidden-text',
    specializations: ['security'],
    severity: 'critical',
    path: anyFile,
    // Bidirectional overrides and isolates ("Trojan Source").
    line: /[\u202A-\u202E\u2066-\u2069]/,
    message:
      'Invisible characters change the order in which the line is shown; it does not do what it seems to.',
    suggestion: 'Remove the characters, or write them as escapes.',
    references: ['CWE-1007', 'https://trojansource.codes'],
  },
  {
    id: 'unpinned-dependency',
    specializations: ['integration', 'security'],
    severity: 'minor',
    path: manifest,
    line: /^\s{1,40}"[^"]{1,214}"\s{0,9}:\s{0,9}"(?:\*|latest|x|>=?\s{0,9}0(?:\.0){0,2})"/,
    message: 'Any version of the dependency will do; the next install may bring another program.',
    suggestion: 'Name a version or a narrow range, and commit the lock file.',
    references: ['CWE-1357'],
  },
  {
    id: 'dependency-from-address',
    specializations: ['integration', 'security'],
    severity: 'major',
    path: manifest,
    line: /^\s{1,40}"[^"]{1,214}"\s{0,9}:\s{0,9}"(?:git\+)?http:\/\//,
    message: 'A dependency or address without TLS; anybody in between can change what is installed.',
    suggestion: 'Use https, and a registry where there is one.',
    references: ['CWE-319'],
  },
  {
    id: 'install-script',
    specializations: ['security', 'integration'],
    severity: 'info',
    path: manifest,
    line: /^\s{1,40}"(?:pre|post)?install"\s{0,9}:\s{0,9}"[^"]/,
    message: 'A script runs on every machine that installs the package.',
    suggestion: 'Make sure that it has to; many installations refuse such scripts.',
    references: ['CWE-506'],
  },
  {
    id: 'image-any-version',
    specializations: ['security', 'integration'],
    severity: 'minor',
    path: image,
    line: /^FROM\s{1,9}(?:--\S{1,99}\s{1,9})?[\w./-]{1,200}:latest(?:\s|$)/i,
    message: 'The image is whatever is newest when it is built.',
    suggestion: 'Name a version, or better a digest.',
    references: ['CWE-1357'],
  },
  {
    id: 'image-as-root',
    specializations: ['security'],
    severity: 'minor',
    path: image,
    line: /^(?:CMD|ENTRYPOINT)\b/i,
    without: /^\s{0,9}USER\s{1,9}(?!root\b|0\b)\S/im,
    message: 'The program of the image runs as root.',
    suggestion: 'Add USER with an account that owns nothing it does not need.',
    references: ['CWE-250'],
  },
  {
    id: 'image-secret',
    specializations: ['security'],
    severity: 'major',
    path: image,
    line: /^\s{0,9}(?:ENV|ARG)\s{1,9}\w{0,60}(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY)(?:=|\s{1,9})["']?[^\s"'$]{4}/i,
    message: 'A secret is part of the image; whoever has the image has it.',
    suggestion: 'Mount it when the image is built or run.',
    references: ['CWE-798'],
  },
  {
    id: 'workflow-text-in-shell',
    specializations: ['security'],
    severity: 'critical',
    path: workflow,
    line: /^(?!\s{0,40}(?:- )?(?!run:)[\w-]{1,60}:).{0,400}\$\{\{\s{0,9}(?:github\.event\.(?:issue|pull_request|comment|review|review_comment|discussion|head_commit|workflow_run)\.(?:[\w.]{0,60}\.)?(?:title|body|message|head_branch|ref|label|name|email)|github\.head_ref)\s{0,9}\}\}/,
    message: 'Text that any stranger writes becomes part of a shell command.',
    suggestion: 'Hand it over as an environment variable, and quote that.',
    references: ['CWE-94'],
  },
  {
    id: 'workflow-runs-strangers',
    specializations: ['security'],
    severity: 'critical',
    path: workflow,
    line: /^\s{1,40}ref:\s{0,9}["']?\$\{\{\s{0,9}github\.(?:event\.pull_request\.head|head_ref)/,
    with: /\bpull_request_target\b/,
    message: 'The code of a stranger is checked out where the secrets of this repository are.',
    suggestion: 'Use pull_request, which has none.',
    references: ['CWE-829'],
  },
  {
    id: 'workflow-moving-action',
    specializations: ['security'],
    severity: 'minor',
    path: workflow,
    line: /^\s{0,40}(?:- )?uses:\s{0,9}["']?[\w./-]{1,200}@(?:master|main|latest|HEAD|develop)\b/,
    message: 'The action is whatever its branch holds today.',
    suggestion: 'Name a commit.',
    references: ['CWE-829'],
  },
  {
    id: 'workflow-all-rights',
    specializations: ['security'],
    severity: 'minor',
    path: workflow,
    line: /^\s{0,40}permissions:\s{0,9}["']?write-all\b/,
    message: 'Every step may change everything of the repository.',
    suggestion: 'Name the rights that the job needs.',
    references: ['CWE-250'],
  },
  {
    id: 'compose-privileged',
    specializations: ['security'],
    severity: 'major',
    path: compose,
    line: /^\s{1,40}privileged:\s{0,9}["']?true\b/,
    message: 'The container is root of the machine.',
    suggestion: 'Add the single capability that it needs.',
    references: ['CWE-250'],
  },
  {
    id: 'compose-docker-socket',
    specializations: ['security'],
    severity: 'major',
    path: compose,
    line: /\/docker\.sock\b/,
    message: 'Who has the socket of Docker is root of the machine.',
    suggestion: 'Do without, or put a proxy in between that allows little.',
    references: ['CWE-250'],
  },
  {
    id: 'debugger-for-everybody',
    specializations: ['security'],
    severity: 'major',
    path: new RegExp(`${manifest.source}|${shell.source}|${compose.source}`, 'i'),
    line: /--inspect(?:-brk)?=(?:0\.0\.0\.0|\[::\]|\*)/,
    message: 'The debugger listens to the whole network; whoever connects runs what they like.',
    suggestion: 'Let it listen on 127.0.0.1, and only while you debug.',
    references: ['CWE-489'],
  },
  {
    id: 'placeholder-text',
    specializations: ['documentation'],
    severity: 'minor',
    path: /\.(?:md|markdown|mdx)$/i,
    line: /^(?![ ]{4}).{0,200}\b(?:lorem ipsum|TBD\b|to be (?:written|documented)|coming soon|write me)/i,
    message: 'A place of the text is not written yet.',
    suggestion: 'Write it, or take it out.',
    references: [],
  },
  {
    id: 'image-without-text',
    specializations: ['documentation'],
    severity: 'minor',
    path: /\.(?:md|markdown|mdx)$/i,
    line: /!\[\s{0,9}\]\(\s{0,9}[^)\s]/,
    message: 'The picture says nothing to who cannot see it.',
    suggestion: 'Write between the brackets what it shows.',
    references: [],
  },
  {
    id: 'trailing-space',
    specializations: ['style'],
    severity: 'info',
    path: /\.(?:[cm]?[jt]sx?|json|ya?ml|css|html|sh|sql|py|go|rs)$/i,
    line: /\S[ \t]{1,200}$/,
    message: 'Blanks at the end of the line.',
    suggestion: 'Let the formatter remove them.',
    references: [],
  },
  {
    id: 'empty-link',
    specializations: ['documentation'],
    severity: 'minor',
    path: /\.(?:md|markdown|mdx)$/i,
    line: /\[[^\]]{1,200}\]\(\s{0,9}(?:#|TODO|TBD)?\s{0,9}\)/,
    message: 'The link leads nowhere.',
    suggestion: 'Name its target, or write the text without a link.',
    references: [],
  },
];

/** Runs the text checks of some specializations over one text. */
export function scanText(
  source: { readonly path: string; readonly text: string },
  specializations: readonly Specialization[],
): PlacedFinding[] {
  const mine = textChecks.flatMap((check) => {
    const category = specializations.find((wanted) => check.specializations.includes(wanted));
    return category === undefined || !holdsFor(check, source) ? [] : [{ check, category }];
  });
  if (mine.length === 0) return [];
  const counts = new Map<string, number>();
  const found: PlacedFinding[] = [];
  for (const [index, whole] of source.text.split(/\r?\n/).entries()) {
    const line = whole.length > lineCharactersMax ? whole.slice(0, lineCharactersMax) : whole;
    for (const { check, category } of mine) {
      if (!check.line.test(line)) continue;
      const count = (counts.get(check.id) ?? 0) + 1;
      counts.set(check.id, count);
      if (count > analyzerLimits.scanFindingsPerRule) continue;
      found.push(findingOf(check, category, { file: source.path, line: index + 1 }));
    }
  }
  return found;
}

function holdsFor(
  check: TextCheck,
  { path, text }: { readonly path: string; readonly text: string },
): boolean {
  if (!check.path.test(path) || check.without?.test(text) === true) return false;
  return check.with?.test(text) !== false;
}

function findingOf(
  check: TextCheck,
  category: Specialization,
  place: { readonly file: string; readonly line: number },
): PlacedFinding {
  return {
    severity: check.severity,
    category,
    ...place,
    description: check.message,
    suggestion: check.suggestion,
    references: [...check.references],
    rule: `text/${check.id}`,
  };
}
