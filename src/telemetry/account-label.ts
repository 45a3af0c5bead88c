/** `payments-prod (111122223333)`, or the number alone where no name is known. */
export function accountLabel({
  account_id: id,
  account_name: name,
}: {
  readonly account_id: string;
  readonly account_name: string | null;
}): string {
  return name === null ? id : `${name} (${id})`;
}
