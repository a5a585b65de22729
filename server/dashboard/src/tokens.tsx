// Tokens, for admins: what each may do, when it was used last, and taking it back.
import { useState } from 'preact/hooks';
import { Refused, revoke, Token } from './api';
import { ago, when } from './format';
import { Column, Panel, Show, Table, useData } from './parts';

export function Tokens() {
  const list = useData<{ tokens: Token[] }>('/v1/tokens');
  const [asked, setAsked] = useState(''), [said, setSaid] = useState('');
  const take = (name: string) => revoke(name).then(() => { setSaid(`The token ${name} is revoked.`); setAsked(''); list.reload(); }, (error: Refused) => setSaid(error.message));
  const columns: Column<Token>[] = [
    { name: 'Token', value: (t) => t.name }, { name: 'May', value: (t) => t.can }, { name: 'Lanes', value: (t) => t.lanes },
    { name: 'Last used', number: true, value: (t) => t.last_used_s, cell: (t) => <span title={t.last_used_s ? when(t.last_used_s) : ''}>{ago(t.last_used_s)}</span> },
    { name: 'Created', number: true, value: (t) => t.created_s, cell: (t) => ago(t.created_s) },
    { name: 'Expires', number: true, value: (t) => t.expires_s || Infinity, cell: (t) => ago(t.expires_s) },
    { name: 'Revoke', value: () => '', cell: (t) => (asked === t.name
      ? <span class="confirm">Sure? <button class="danger" onClick={() => take(t.name)}>Revoke {t.name}</button> <button onClick={() => setAsked('')}>Keep</button></span>
      : <button onClick={() => setAsked(t.name)} aria-label={`Revoke ${t.name}`}>Revoke…</button>) },
  ];
  return <><div class="bar-top"><h1>Tokens</h1></div><p class="lead" role="status" aria-live="polite">{said || 'A revoked token is refused from that moment on.'}</p>
    <Panel title="All tokens" wide><Show of={list}>{(data) => <Table name="Tokens" rows={data.tokens} columns={columns} empty={<>There are none. <code>jicached token create</code> makes one.</>} />}</Show></Panel></>;
}
