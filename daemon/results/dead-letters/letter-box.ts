import { type Folder, replaceFile } from '../spool/folder.ts';

/** A place for sealed dead letters. Methods reject with what the bucket or the disk fails with. */
export interface LetterBox {
  /** For people: a directory or an s3:// URL. */
  readonly place: string;
  /** @param onDropped called for each of the oldest letters that makes room, also if the write fails after that */
  write(name: string, bytes: Buffer, onDropped: (name: string) => void): Promise<void>;
  /** Writes a letter that is there already. */
  replace(name: string, bytes: Buffer): Promise<void>;
  /** Names, oldest first. */
  list(): Promise<string[]>;
  /** Undefined if there is no such letter. */
  read(name: string): Promise<Buffer | undefined>;
  remove(name: string): Promise<void>;
}

const SUFFIX = '.letter';
/** Time, size in bytes, and the number of events, which earlier versions left out. */
const NAME = /^\d{15}-(?<bytes>\d+)-(?:(?<events>\d+)-)?/;

/** A letter's name: it sorts by time, and says what is lost if the letter makes room without being read. */
export function letterName(atEpochMs: number, bytes: number, events: number, about: string): string {
  return `${String(atEpochMs).padStart(15, '0')}-${bytes}-${events}-${about}`;
}

/** How many events are in the letter; at least one. */
export function eventsIn(name: string): number {
  return Number(NAME.exec(name)?.groups?.['events'] ?? 1);
}

/** Letters in a directory of this disk, up to a size. */
export function directoryBox(folder: Folder, mostBytes: number): LetterBox {
  const list = async () => {
    const names = (await folder.list()).filter((name) => name.endsWith(SUFFIX));
    return names.map((name) => name.slice(0, -SUFFIX.length)).sort();
  };
  /** Removes the oldest until the rest leaves room. */
  const makeRoom = async (needed: number, onDropped: (name: string) => void): Promise<void> => {
    const names = await list();
    let bytes = names.reduce((sum, name) => sum + sizeIn(name), needed);
    for (const name of names) {
      if (bytes <= mostBytes) break;
      // Another thread may have removed it.
      if (await folder.remove(`${name}${SUFFIX}`)) onDropped(name);
      bytes -= sizeIn(name);
    }
  };
  const replace = (name: string, bytes: Buffer) => replaceFile(folder, `${name}${SUFFIX}`, bytes);
  let writing: Promise<void> = Promise.resolve();
  return {
    place: folder.path,
    write(name, bytes, onDropped) {
      // One after the other: letters that are written together would find the same room.
      const written = writing.then(() => makeRoom(bytes.length, onDropped)).then(() => replace(name, bytes));
      writing = written.catch(() => {});
      return written;
    },
    replace,
    list,
    read: (name) => folder.read(`${name}${SUFFIX}`),
    remove: async (name) => void (await folder.remove(`${name}${SUFFIX}`)),
  };
}

function sizeIn(name: string): number {
  return Number(NAME.exec(name)?.groups?.['bytes'] ?? 0);
}
