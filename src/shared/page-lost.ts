/** The thread that had a page broke down (src/page-thread/), so the page has to be asked for again. */
export class PageLost extends Error {
  // This name appears in export_coverage and stays.
  override readonly name = 'PageLost';

  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      `a thread of this program broke down while it had a page (${reason}); the next run reads the target again`,
      {
        cause,
      },
    );
  }
}
