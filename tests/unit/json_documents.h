/* SPDX-License-Identifier: MIT */
/* json_documents.h - JSON documents that are made up, the same ones for the same seed. */
#ifndef RJWT_TEST_JSON_DOCUMENTS_H
#define RJWT_TEST_JSON_DOCUMENTS_H

#include "base/buf.h"

extern uint64_t documents_seed;

/* A valid document, replacing what out holds. */
void document_make(struct buf *out);
/* A byte or a few replaced, put in, taken out, or written twice. */
void document_change(struct buf *text);

#endif
