/** One line of Prometheus's text format, without its value: `name{label="value"}`. */
export type Series = string;

/** The values of a scrape by series. */
export type Scrape = ReadonlyMap<Series, number>;

/** Parses Prometheus's text format 0.0.4. Throws on a line that is not valid. */
export function readScrape(text: string): Scrape {
  const values = new Map<Series, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, series, value] = /^([a-z_]+(?:\{[^}]*\})?) (\S+)$/.exec(line) ?? [];
    if (series === undefined) throw new Error(`not a line of Prometheus's text format: ${line}`);
    values.set(series, Number(value));
  }
  return values;
}

/** Scrapes the daemon at `url`. */
export async function scrape(url: string): Promise<{ text: string; values: Scrape }> {
  const response = await fetch(new URL('/metrics', url));
  const text = await response.text();
  if (!response.ok) throw new Error(`/metrics answered ${response.status}: ${text}`);
  return { text, values: readScrape(text) };
}

/** All series of a metric with a value other than 0, without the metric's name. */
export function notZero(values: Scrape, name: string): Record<string, number> {
  const found = [...values].filter(([series, value]) => series.split('{')[0] === name && value !== 0);
  return Object.fromEntries(found.map(([series, value]) => [series.slice(name.length), value]));
}
