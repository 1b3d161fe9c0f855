import { describe, expect, it } from 'vitest';
import type { ContainerInit, CriBench } from './cri-bench.js';

/** Images. */
export function imageCases(t: CriBench): void {
  const { runPod, create, status } = t;

  describe('images', () => {
    const image = () => t.cri.image;
    const find = async (ref: string) => (await image().imageStatus({ image: { image: ref } })).image;
    const pull = async (ref: string) => (await image().pullImage({ image: { image: ref } })).imageRef;
    const remove = (ref: string) => image().removeImage({ image: { image: ref } });

    it('are pulled by tag, found by every kind of reference, and removed with all tags', async () => {
      const refs = t.under.images.threeTags;
      for (const ref of refs) await pull(ref);
      const found = await find(refs[0]);
      expect([...(found?.repoTags ?? [])].sort()).toEqual([...refs].sort());
      expect(found?.size).toBeGreaterThan(0n);
      for (const ref of [found?.id ?? '', found?.repoDigests[0] ?? '', refs[1]]) expect((await find(ref))?.id).toBe(found?.id);
      await remove(refs[1]);
      for (const ref of refs) expect(await find(ref)).toBeUndefined();
    });
    it('have one status by whatever reference it is asked for', async () => {
      const [ref] = t.under.images.threeTags;
      await pull(ref);
      const found = await find(ref);
      for (const other of [found?.id ?? '', ...(found?.repoTags ?? []), ...(found?.repoDigests ?? [])]) expect(await find(other)).toEqual(found);
      await remove(ref);
    });
    it('have one id in every answer, also of containers made from it', async () => {
      const ref = t.under.images.base;
      const imageRef = await pull(ref);
      expect((await find(ref))?.id).toBe(imageRef);
      const { containerId } = await create(await runPod(), { image: { image: imageRef, userSpecifiedImage: ref } } as Partial<ContainerInit>);
      expect(await status(containerId)).toMatchObject({ imageId: imageRef, image: { image: ref } });
      expect((await t.cri.runtime.listContainers({ filter: { id: containerId } })).containers).toMatchObject([{ imageId: imageRef }]);
    });
    it('are gone when any of several removals at once has answered', async () => {
      const [ref] = t.under.images.threeImages;
      const id = await pull(ref);
      const after = await Promise.all(Array.from({ length: 5 }, () => remove(id).then(() => find(id))));
      expect(after).toEqual(Array.from({ length: 5 }, () => undefined));
    });
    it('are pulled within the time the caller has, or not at all', async () => {
      await expect(t.cri.image.pullImage({ image: { image: t.under.images.threeTags[0] } }, { timeoutMs: 1 })).rejects.toMatchObject({
        code: 'deadlineExceeded',
      });
    });
    it('are pulled and removed by digest', async () => {
      await pull(t.under.images.threeTags[0]);
      const digest = (await find(t.under.images.threeTags[0]))?.repoDigests[0] ?? '';
      await remove(digest);
      await pull(digest);
      expect(await find(digest)).toMatchObject({ repoDigests: [digest], repoTags: [] });
      await remove(digest);
      expect(await find(digest)).toBeUndefined();
    });
    it('are listed each once, at once after the pull and no more after removal, also when removed twice at a time', async () => {
      const refs = t.under.images.threeImages;
      const ids = await Promise.all(refs.map(pull));
      expect(new Set(ids).size).toBe(3);
      const listed = (await image().listImages({})).images.filter((i) => i.repoTags.some((t) => refs.includes(t)));
      expect(listed.map((i) => i.id).sort()).toEqual([...ids].sort());
      await Promise.all([...refs, ...refs].map(remove));
      for (const ref of refs) expect(await find(ref)).toBeUndefined();
      expect((await image().listImages({})).images.filter((i) => ids.includes(i.id))).toEqual([]);
    });
    it('have the same id from another registry', async () => {
      expect(await pull(t.under.images.baseElsewhere)).toBe(await pull(t.under.images.base));
    });
    it('say their user', async () => {
      for (const ref of [t.under.images.userId, t.under.images.userName]) await pull(ref);
      expect(await find(t.under.images.userId)).toMatchObject({ uid: { value: 1002n } });
      expect(await find(t.under.images.userName)).toMatchObject({ username: 'nobody' });
    });
    it('of names that none can have are refused', async () => {
      for (const name of ['', 'not a name', 'registry.test/Upper:1', 'registry.test/a@sha256:12'])
        await expect(pull(name)).rejects.toMatchObject({ code: 'invalidArgument' });
    });
    it('that do not exist fail to pull', async () => {
      await expect(pull(`${t.under.images.base}-missing`)).rejects.toThrow(/not found|denied/);
    });
    it('fill a file system', async () => {
      const { imageFilesystems } = await image().imageFsInfo({});
      expect(imageFilesystems[0]?.fsId?.mountpoint).toMatch(/^\//);
      expect(imageFilesystems[0]?.usedBytes?.value).toBeGreaterThan(0n);
    });
  });
}
