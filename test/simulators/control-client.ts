/** Sends a simulator that listens at `url` an order. Throws if it is refused. */
export async function sendOrder(url: string, path: string, order: unknown = {}): Promise<void> {
  const init = { method: 'POST', body: JSON.stringify(order) };
  const response = await fetch(new URL(`/simulator/${path}`, url), init);
  if (!response.ok) throw new Error(`POST /simulator/${path} was refused: ${await response.text()}`);
}

/** Reads what a simulator that listens at `url` has recorded. */
export async function readRecorded<Recorded>(url: string, path: string): Promise<Recorded> {
  const response = await fetch(new URL(`/simulator/${path}`, url));
  return (await response.json()) as Recorded;
}
