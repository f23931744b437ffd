import { type Folder, replaceFile } from '../spool/folder.ts';

/** A place for sealed dead letters. Methods reject with what the bucket or the disk fails with. */
export interface LetterBox {
  /** For people: a directory or an s3:// URL. */
  readonly place: string;
  /** Resolves with how many of the oldest letters made room. */
  write(name: string, bytes: Buffer): Promise<number>;
  /** Writes a letter that is there already. */
  replace(name: string, bytes: Buffer): Promise<void>;
  /** Names, oldest first. */
  list(): Promise<string[]>;
  /** Undefined if there is no such letter. */
  read(name: string): Promise<Buffer | undefined>;
  remove(name: string): Promise<void>;
}

const SUFFIX = '.letter';
/** Time, and size in bytes. */
const NAME = /^\d{15}-(?<bytes>\d+)-/;

/** Letters in a directory of this disk, up to a size. */
export function directoryBox(folder: Folder, mostBytes: number): LetterBox {
  const list = async () => {
    const names = (await folder.list()).filter((name) => name.endsWith(SUFFIX));
    return names.map((name) => name.slice(0, -SUFFIX.length)).sort();
  };
  /** Removes the oldest until the rest leaves room. */
  const makeRoom = async (needed: number): Promise<number> => {
    const names = await list();
    let bytes = names.reduce((sum, name) => sum + sizeIn(name), needed);
    let dropped = 0;
    for (const name of names) {
      if (bytes <= mostBytes) break;
      await folder.remove(`${name}${SUFFIX}`);
      bytes -= sizeIn(name);
      dropped++;
    }
    return dropped;
  };
  const replace = (name: string, bytes: Buffer) => replaceFile(folder, `${name}${SUFFIX}`, bytes);
  return {
    place: folder.path,
    async write(name, bytes) {
      const dropped = await makeRoom(bytes.length);
      await replace(name, bytes);
      return dropped;
    },
    replace,
    list,
    read: (name) => folder.read(`${name}${SUFFIX}`),
    remove: (name) => folder.remove(`${name}${SUFFIX}`),
  };
}

function sizeIn(name: string): number {
  return Number(NAME.exec(name)?.groups?.['bytes'] ?? 0);
}
