	switch (t->back) {
	default: Uerror("bad return move");
	case  0: goto R999; /* nothing to undo */

		 /* PROC :init: */

	case 3: // STATE 1
		;
		;
		delproc(0, now._nr_pr-1);
		;
		goto R999;

	case 4: // STATE 2
		;
		;
		delproc(0, now._nr_pr-1);
		;
		goto R999;

	case 5: // STATE 4
		;
		p_restor(II);
		;
		;
		goto R999;

		 /* PROC control */
;
		;
		
	case 7: // STATE 2
		;
		((P4 *)_this)->n = trpt->bup.oval;
		;
		goto R999;

	case 8: // STATE 3
		;
		((P4 *)_this)->slot = trpt->bup.oval;
		;
		goto R999;
;
		
	case 9: // STATE 6
		goto R999;

	case 10: // STATE 4
		;
		((P4 *)_this)->slot = trpt->bup.oval;
		;
		goto R999;

	case 11: // STATE 9
		;
		now.lock = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 13: // STATE 14
		;
		now.sink[ Index((1-((P4 *)_this)->slot), 2) ] = trpt->bup.ovals[1];
		now.attached[ Index((1-((P4 *)_this)->slot), 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 14: // STATE 16
		;
		now.serving = trpt->bup.oval;
		;
		goto R999;
;
		
	case 15: // STATE 19
		goto R999;

	case 16: // STATE 21
		;
		now.mapped[ Index((1-((P4 *)_this)->slot), 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 17: // STATE 25
		;
		now.serving = trpt->bup.oval;
		;
		goto R999;

	case 18: // STATE 34
		;
		now.lock = trpt->bup.ovals[3];
		now.news[1] = trpt->bup.ovals[2];
		now.news[0] = trpt->bup.ovals[1];
		now.signalled[ Index(((P4 *)_this)->slot, 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 19: // STATE 34
		;
		now.lock = trpt->bup.ovals[2];
		now.news[1] = trpt->bup.ovals[1];
		now.news[0] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 20: // STATE 37
		;
		now.lock = trpt->bup.ovals[1];
	/* 0 */	((P4 *)_this)->slot = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 21: // STATE 42
		;
		now.lock = trpt->bup.oval;
		;
		goto R999;

	case 22: // STATE 46
		;
		now.lock = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 24: // STATE 50
		;
		now.sink[ Index(((P4 *)_this)->slot, 2) ] = trpt->bup.ovals[1];
		now.attached[ Index(((P4 *)_this)->slot, 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 25: // STATE 52
		;
		now.serving = trpt->bup.oval;
		;
		goto R999;
;
		
	case 26: // STATE 55
		goto R999;

	case 27: // STATE 57
		;
		now.mapped[ Index(((P4 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 28: // STATE 60
		;
		now.lock = trpt->bup.ovals[1];
		now.news[ Index(((P4 *)_this)->slot, 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 30: // STATE 64
		;
		now.sink[ Index(((P4 *)_this)->slot, 2) ] = trpt->bup.ovals[1];
		now.attached[ Index(((P4 *)_this)->slot, 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 31: // STATE 66
		;
		now.serving = trpt->bup.oval;
		;
		goto R999;
;
		
	case 32: // STATE 69
		goto R999;

	case 33: // STATE 71
		;
		now.mapped[ Index(((P4 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 35: // STATE 76
		;
		now.serving = trpt->bup.oval;
		;
		goto R999;

	case 36: // STATE 99
		;
		now.lock = trpt->bup.ovals[3];
		now.news[1] = trpt->bup.ovals[2];
		now.news[0] = trpt->bup.ovals[1];
		now.signalled[ Index((1-((P4 *)_this)->slot), 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 37: // STATE 99
		;
		now.lock = trpt->bup.ovals[2];
		now.news[1] = trpt->bup.ovals[1];
		now.news[0] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 38: // STATE 99
		;
		now.lock = trpt->bup.oval;
		;
		goto R999;

	case 39: // STATE 88
		;
		now.serving = trpt->bup.oval;
		;
		goto R999;

	case 40: // STATE 99
		;
		now.lock = trpt->bup.ovals[3];
		now.news[1] = trpt->bup.ovals[2];
		now.news[0] = trpt->bup.ovals[1];
		now.signalled[ Index(7, 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 41: // STATE 99
		;
		now.lock = trpt->bup.ovals[2];
		now.news[1] = trpt->bup.ovals[1];
		now.news[0] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 42: // STATE 104
		;
		now.news[ Index(((P4 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 43: // STATE 105
		;
		now.dying[ Index(((P4 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 44: // STATE 112
		;
		p_restor(II);
		;
		;
		goto R999;

		 /* PROC server */
;
		;
		;
		;
		
	case 47: // STATE 3
		;
		now.attached[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 48: // STATE 4
		;
		now.news[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		;
		;
		
	case 52: // STATE 8
		;
		now.serving = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 54: // STATE 10
		;
		now.signalled[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 55: // STATE 14
		;
		now.news[0] = trpt->bup.oval;
		;
		goto R999;

	case 56: // STATE 15
		;
		now.news[1] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 59: // STATE 24
		;
		now.sink[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 61: // STATE 26
		;
		now.signalled[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 64: // STATE 38
		;
		now.news[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 67: // STATE 49
		;
		now.fence = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		;
		;
		
	case 71: // STATE 57
		;
		((P3 *)_this)->done = trpt->bup.oval;
		;
		goto R999;

	case 72: // STATE 58
		;
		((P3 *)_this)->taken = trpt->bup.oval;
		;
		goto R999;

	case 73: // STATE 59
		;
		((P3 *)_this)->i = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 76: // STATE 62
		;
		now.state[ Index(((P3 *)_this)->i, 1) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 78: // STATE 64
		;
		now.element[ Index(now.position[ Index(((P3 *)_this)->i, 1) ], 1) ] = trpt->bup.oval;
		;
		goto R999;

	case 79: // STATE 65
		;
		((P3 *)_this)->done = trpt->bup.oval;
		;
		goto R999;

	case 80: // STATE 66
		;
		((P3 *)_this)->taken = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 82: // STATE 68
		;
		((P3 *)_this)->taken = trpt->bup.oval;
		;
		goto R999;

	case 83: // STATE 72
		;
		((P3 *)_this)->i = trpt->bup.oval;
		;
		goto R999;

	case 84: // STATE 74
		;
		((P3 *)_this)->i = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 87: // STATE 83
		;
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 90: // STATE 93
		;
		now.used = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 93: // STATE 98
		;
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 96: // STATE 108
		;
		now.recorded = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 99: // STATE 113
		;
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 102: // STATE 123
		;
		((P3 *)_this)->i = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 105: // STATE 126
		;
		now.state[ Index(((P3 *)_this)->i, 1) ] = trpt->bup.oval;
		;
		goto R999;

	case 106: // STATE 130
		;
		((P3 *)_this)->i = trpt->bup.oval;
		;
		goto R999;

	case 107: // STATE 132
		;
		((P3 *)_this)->i = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 110: // STATE 141
		;
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 113: // STATE 151
		;
		now.interrupt = trpt->bup.oval;
		;
		goto R999;

	case 114: // STATE 158
		;
		((P3 *)_this)->r = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 117: // STATE 161
		;
		now.io_of[ Index(((P3 *)_this)->r, 1) ] = trpt->bup.oval;
		;
		goto R999;

	case 118: // STATE 162
		;
		now.io_over[ Index(((P3 *)_this)->r, 1) ] = trpt->bup.oval;
		;
		goto R999;

	case 119: // STATE 168
		;
		((P3 *)_this)->r = trpt->bup.oval;
		;
		goto R999;

	case 120: // STATE 171
		;
		((P3 *)_this)->r = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 122: // STATE 178
		;
		now.quiet = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 125: // STATE 183
		;
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		;
		;
		
	case 129: // STATE 194
		;
		now.state[ Index(((P3 *)_this)->taken, 1) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 132: // STATE 199
		;
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 134: // STATE 208
		;
		now.io_of[ Index(((P3 *)_this)->taken, 1) ] = trpt->bup.oval;
		;
		goto R999;

	case 135: // STATE 209
		;
		now.io_over[ Index(((P3 *)_this)->taken, 1) ] = trpt->bup.oval;
		;
		goto R999;

	case 136: // STATE 212
		;
		((P3 *)_this)->taken = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 138: // STATE 220
		;
		now.quiet = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 141: // STATE 225
		;
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		;
		;
		
	case 145: // STATE 240
		;
		now.signalled[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 148: // STATE 245
		;
		((P3 *)_this)->r = trpt->bup.oval;
		;
		goto R999;

	case 149: // STATE 248
		;
		now.io_of[ Index(((P3 *)_this)->r, 1) ] = trpt->bup.oval;
		;
		goto R999;

	case 150: // STATE 249
		;
		now.io_over[ Index(((P3 *)_this)->r, 1) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 152: // STATE 252
		;
		now.position[ Index(((P3 *)_this)->r, 1) ] = trpt->bup.oval;
		;
		goto R999;

	case 153: // STATE 253
		;
		now.state[ Index(((P3 *)_this)->r, 1) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 156: // STATE 258
		;
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 159: // STATE 268
		;
		now.element[ Index(((P3 *)_this)->done, 1) ] = trpt->bup.oval;
		;
		goto R999;

	case 160: // STATE 269
		;
		((P3 *)_this)->done = trpt->bup.oval;
		;
		goto R999;

	case 161: // STATE 270
		;
		((P3 *)_this)->r = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 164: // STATE 275
		;
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 167: // STATE 285
		;
		now.used = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 170: // STATE 290
		;
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 173: // STATE 300
		;
		now.recorded = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 176: // STATE 305
		;
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 179: // STATE 315
		;
		((P3 *)_this)->i = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 182: // STATE 318
		;
		now.state[ Index(((P3 *)_this)->i, 1) ] = trpt->bup.oval;
		;
		goto R999;

	case 183: // STATE 322
		;
		((P3 *)_this)->i = trpt->bup.oval;
		;
		goto R999;

	case 184: // STATE 324
		;
		((P3 *)_this)->i = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 187: // STATE 333
		;
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 190: // STATE 343
		;
		now.interrupt = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		;
		;
		
	case 194: // STATE 358
		;
		now.io_of[0] = trpt->bup.oval;
		;
		goto R999;

	case 195: // STATE 359
		;
		now.io_over[0] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 198: // STATE 369
		;
		now.fence = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		;
		;
		
	case 202: // STATE 377
		;
		now.lock = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 204: // STATE 381
		;
		now.lock = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 206: // STATE 384
		;
		now.attached[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 207: // STATE 385
		;
		now.sink[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 209: // STATE 387
		;
		now.serving = trpt->bup.oval;
		;
		goto R999;

	case 210: // STATE 392
		;
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 211: // STATE 394
		;
		now.news[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 212: // STATE 395
		;
		now.lock = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 214: // STATE 398
		;
		now.attached[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 215: // STATE 399
		;
		now.sink[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 217: // STATE 401
		;
		now.serving = trpt->bup.oval;
		;
		goto R999;

	case 218: // STATE 406
		;
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		;
		;
		
	case 222: // STATE 411
		;
		now.serving = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 224: // STATE 413
		;
		now.signalled[ Index((1-((P3 *)_this)->slot), 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 225: // STATE 417
		;
		now.news[0] = trpt->bup.oval;
		;
		goto R999;

	case 226: // STATE 418
		;
		now.news[1] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 229: // STATE 423
		;
		now.serving = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 231: // STATE 425
		;
		now.signalled[ Index(7, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 232: // STATE 429
		;
		now.news[0] = trpt->bup.oval;
		;
		goto R999;

	case 233: // STATE 430
		;
		now.news[1] = trpt->bup.oval;
		;
		goto R999;

	case 234: // STATE 434
		;
		now.lock = trpt->bup.oval;
		;
		goto R999;

	case 235: // STATE 446
		;
		now.lock = trpt->bup.oval;
		;
		goto R999;

	case 236: // STATE 450
		;
		now.lock = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 238: // STATE 454
		;
		now.sink[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.ovals[1];
		now.attached[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 239: // STATE 456
		;
		now.serving = trpt->bup.oval;
		;
		goto R999;
;
		
	case 240: // STATE 459
		goto R999;

	case 241: // STATE 461
		;
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 242: // STATE 464
		;
		now.lock = trpt->bup.ovals[1];
		now.news[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 244: // STATE 468
		;
		now.sink[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.ovals[1];
		now.attached[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 245: // STATE 470
		;
		now.serving = trpt->bup.oval;
		;
		goto R999;
;
		
	case 246: // STATE 473
		goto R999;

	case 247: // STATE 475
		;
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 249: // STATE 480
		;
		now.serving = trpt->bup.oval;
		;
		goto R999;

	case 250: // STATE 503
		;
		now.lock = trpt->bup.ovals[3];
		now.news[1] = trpt->bup.ovals[2];
		now.news[0] = trpt->bup.ovals[1];
		now.signalled[ Index((1-((P3 *)_this)->slot), 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 251: // STATE 503
		;
		now.lock = trpt->bup.ovals[2];
		now.news[1] = trpt->bup.ovals[1];
		now.news[0] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 252: // STATE 503
		;
		now.lock = trpt->bup.oval;
		;
		goto R999;

	case 253: // STATE 492
		;
		now.serving = trpt->bup.oval;
		;
		goto R999;

	case 254: // STATE 503
		;
		now.lock = trpt->bup.ovals[3];
		now.news[1] = trpt->bup.ovals[2];
		now.news[0] = trpt->bup.ovals[1];
		now.signalled[ Index(7, 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 255: // STATE 503
		;
		now.lock = trpt->bup.ovals[2];
		now.news[1] = trpt->bup.ovals[1];
		now.news[0] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 256: // STATE 508
		;
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 257: // STATE 511
		;
		now.io_over[0] = trpt->bup.ovals[1];
		now.io_of[0] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 258: // STATE 526
		;
		((P3 *)_this)->r = trpt->bup.ovals[7];
		((P3 *)_this)->i = trpt->bup.ovals[6];
		((P3 *)_this)->taken = trpt->bup.ovals[5];
		((P3 *)_this)->done = trpt->bup.ovals[4];
		now.news[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.ovals[3];
		now.signalled[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.ovals[2];
		now.dying[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.ovals[1];
		now.fence = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 8);
		goto R999;

	case 259: // STATE 526
		;
		((P3 *)_this)->r = trpt->bup.ovals[6];
		((P3 *)_this)->i = trpt->bup.ovals[5];
		((P3 *)_this)->taken = trpt->bup.ovals[4];
		((P3 *)_this)->done = trpt->bup.ovals[3];
		now.news[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.ovals[2];
		now.signalled[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.ovals[1];
		now.dying[ Index(((P3 *)_this)->slot, 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 7);
		goto R999;

	case 260: // STATE 531
		;
		p_restor(II);
		;
		;
		goto R999;

		 /* PROC disk */

	case 261: // STATE 4
		;
		now.io_over[0] = trpt->bup.ovals[1];
		now.executed[0] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 262: // STATE 10
		;
		p_restor(II);
		;
		;
		goto R999;

		 /* PROC guest */
;
		;
		
	case 264: // STATE 2
		;
		now.available = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 266: // STATE 4
		;
		now.work = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		;
		;
		
	case 270: // STATE 15
		;
		now.interrupt = trpt->bup.oval;
		;
		goto R999;

	case 271: // STATE 21
		;
		((P1 *)_this)->seen = trpt->bup.ovals[2];
		now.complete[ Index(((P1 *)_this)->head, 1) ] = trpt->bup.ovals[1];
		((P1 *)_this)->head = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 272: // STATE 23
		;
		((P1 *)_this)->head = trpt->bup.oval;
		;
		goto R999;

	case 273: // STATE 29
		;
	/* 0 */	((P1 *)_this)->seen = trpt->bup.oval;
		;
		;
		goto R999;

	case 274: // STATE 34
		;
		p_restor(II);
		;
		;
		goto R999;

		 /* PROC source */

	case 275: // STATE 2
		;
		now.work = trpt->bup.oval;
		;
		goto R999;

	case 276: // STATE 4
		;
		now.signalled[ Index(now.serving, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		
	case 277: // STATE 7
		goto R999;

	case 278: // STATE 12
		;
		p_restor(II);
		;
		;
		goto R999;
	}

