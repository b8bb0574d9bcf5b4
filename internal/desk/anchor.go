package desk

import (
	"context"
	"fmt"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/signed"
)

// AnchorWithin is how long a line of the read log may be known to this desk
// alone. Then nothing is read until the hub's log has its head.
const AnchorWithin = 24 * time.Hour

// anchorSetting keeps the newest head that the hub took, with its signed word.
const anchorSetting = "reads-anchored"

type anchored struct {
	client.ReadsHead
	Receipt signed.Object `json:"receipt"`
}

// logged writes the line of an act; the head goes to the hub with the next read.
func (d *Desk) logged(ctx context.Context, r Read) (Read, readEnd, error) {
	var last anchored
	if err := d.records.setting(ctx, anchorSetting, &last); err != nil && !fault.Is(err, fault.NotFound) {
		return r, readEnd{}, err
	}
	r.Time, r.Who = d.clock.Now().UnixMicro(), d.who.ID
	return logRead(d.readsPath(), r, last.ReadsHead)
}

// read writes the line of a read and has the hub take the log's new head. With
// an error nothing may be decrypted: the line is not on disk, the log was
// changed, or its head has not reached the hub for AnchorWithin.
func (d *Desk) read(ctx context.Context, m client.Member, r Read) (Read, error) {
	r, end, err := d.logged(ctx, r)
	if err != nil {
		return r, err
	}
	err = d.anchor(ctx, m, end.ReadsHead)
	if late := d.clock.Now().Sub(time.UnixMicro(end.open)); err == nil || late <= AnchorWithin {
		return r, nil
	}
	return r, fault.Wrap(fault.Unavailable, fmt.Sprintf("The head of this desk's read log has not reached the hub for %d hours, so nothing was read. Try again when the hub answers.",
		int(AnchorWithin.Hours())), err)
}

func (d *Desk) anchor(ctx context.Context, m client.Member, head client.ReadsHead) error {
	var o signed.Object
	if err := d.hub(ctx, m, client.PathReads, head, &o); err != nil {
		return err
	}
	var got client.AnchoredReads
	if err := o.Open(client.AnchoredDomain, m.Manifest.Hub.Key, &got); err != nil {
		return err
	}
	if got.ReadsHead != head || got.By != d.who.ID {
		return fault.New(fault.Conflict, "The hub signed another head than this desk's read log has.")
	}
	return d.records.keep(ctx, anchorSetting, anchored{head, o})
}
