/** A metric in a PromQL expression, with its label matchers. */
interface Selector {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
}

/** Our metrics in an expression; others are left out. */
export function selectorsIn(expression: string): Selector[] {
  return [...expression.matchAll(/\b((?:integratord|process)_\w+)\s*(?:\{([^}]*)\})?/g)].map(
    ([, metric = '', inner]) => ({
      metric,
      matchers: [...(inner ?? '').matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)].map(
        ([, label = '', operator = '', value = '']) => ({ label, operator, value }),
      ),
    }),
  );
}

/** The labels that an expression groups or joins by: `by (a, b)`, `on (a)`, `{{legend}}`. */
export function groupedBy(expression: string): string[] {
  return [...expression.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)].flatMap(([, labels = '']) =>
    labels.split(',').map((label) => label.trim()),
  );
}

/** True when the selector matches a series of /metrics, `name{label="value"}`, on any instance of any job. */
export function isSelected(series: string, { metric, matchers }: Selector): boolean {
  const [name, labels = ''] = series.split('{');
  if (name !== metric) return false;
  return matchers.every(({ label, operator, value }) => {
    if (PROMETHEUS_LABELS.includes(label)) return true;
    const found = new RegExp(`(?:^|,)${label}="([^"]*)"`).exec(labels)?.[1] ?? '';
    const isEqual = operator.includes('~') ? new RegExp(`^(?:${value})$`).test(found) : found === value;
    return isEqual !== operator.startsWith('!');
  });
}

/** Labels that Prometheus adds to what it scrapes. */
export const PROMETHEUS_LABELS: readonly string[] = ['job', 'instance'];
