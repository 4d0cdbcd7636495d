#define rand	pan_rand
#define pthread_equal(a,b)	((a)==(b))
#if defined(HAS_CODE) && defined(VERBOSE)
	#ifdef BFS_PAR
		bfs_printf("Pr: %d Tr: %d\n", II, t->forw);
	#else
		cpu_printf("Pr: %d Tr: %d\n", II, t->forw);
	#endif
#endif
	switch (t->forw) {
	default: Uerror("bad forward move");
	case 0:	/* if without executable clauses */
		continue;
	case 1: /* generic 'goto' or 'skip' */
		IfNotBlocked
		_m = 3; goto P999;
	case 2: /* generic 'else' */
		IfNotBlocked
		if (trpt->o_pm&1) continue;
		_m = 3; goto P999;

		 /* PROC :init: */
	case 3: // STATE 1 - channel.pml:468 - [(run server(0))] (0:0:0 - 1)
		IfNotBlocked
		reached[5][1] = 1;
		if (!(addproc(II, 1, 3, 0)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 4: // STATE 2 - channel.pml:468 - [(run server(1))] (0:0:0 - 1)
		IfNotBlocked
		reached[5][2] = 1;
		if (!(addproc(II, 1, 3, 1)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 5: // STATE 4 - channel.pml:469 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[5][4] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */

		 /* PROC control */
	case 6: // STATE 1 - channel.pml:443 - [((n<1))] (0:0:0 - 1)
		IfNotBlocked
		reached[4][1] = 1;
		if (!((((int)((P4 *)_this)->n)<1)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 7: // STATE 2 - channel.pml:445 - [n = (n+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[4][2] = 1;
		(trpt+1)->bup.oval = ((int)((P4 *)_this)->n);
		((P4 *)_this)->n = (((int)((P4 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("control:n", ((int)((P4 *)_this)->n));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 8: // STATE 3 - channel.pml:447 - [slot = 0] (0:106:1 - 1)
		IfNotBlocked
		reached[4][3] = 1;
		(trpt+1)->bup.oval = ((int)((P4 *)_this)->slot);
		((P4 *)_this)->slot = 0;
#ifdef VAR_RANGES
		logval("control:slot", ((int)((P4 *)_this)->slot));
#endif
		;
		/* merge: .(goto)(106, 6, 106) */
		reached[4][6] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 9: // STATE 6 - channel.pml:449 - [.(goto)] (0:106:0 - 2)
		IfNotBlocked
		reached[4][6] = 1;
		;
		_m = 3; goto P999; /* 0 */
	case 10: // STATE 4 - channel.pml:448 - [slot = 1] (0:106:1 - 1)
		IfNotBlocked
		reached[4][4] = 1;
		(trpt+1)->bup.oval = ((int)((P4 *)_this)->slot);
		((P4 *)_this)->slot = 1;
#ifdef VAR_RANGES
		logval("control:slot", ((int)((P4 *)_this)->slot));
#endif
		;
		/* merge: .(goto)(106, 6, 106) */
		reached[4][6] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 11: // STATE 8 - channel.pml:59 - [((lock==7))] (39:0:1 - 1)
		IfNotBlocked
		reached[4][8] = 1;
		if (!((((int)now.lock)==7)))
			continue;
		/* merge: lock = (2+1)(0, 9, 39) */
		reached[4][9] = 1;
		(trpt+1)->bup.oval = ((int)now.lock);
		now.lock = (2+1);
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 12: // STATE 12 - channel.pml:453 - [((attached[slot]&&(serving==(1-slot))))] (0:0:0 - 1)
		IfNotBlocked
		reached[4][12] = 1;
		if (!((((int)now.attached[ Index(((int)((P4 *)_this)->slot), 2) ])&&(((int)now.serving)==(1-((int)((P4 *)_this)->slot))))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 13: // STATE 13 - channel.pml:80 - [attached[(1-slot)] = 0] (0:18:2 - 1)
		IfNotBlocked
		reached[4][13] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.attached[ Index((1-((int)((P4 *)_this)->slot)), 2) ]);
		now.attached[ Index((1-((P4 *)_this)->slot), 2) ] = 0;
#ifdef VAR_RANGES
		logval("attached[(1-control:slot)]", ((int)now.attached[ Index((1-((int)((P4 *)_this)->slot)), 2) ]));
#endif
		;
		/* merge: sink[(1-slot)] = 0(18, 14, 18) */
		reached[4][14] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.sink[ Index((1-((int)((P4 *)_this)->slot)), 2) ]);
		now.sink[ Index((1-((P4 *)_this)->slot), 2) ] = 0;
#ifdef VAR_RANGES
		logval("sink[(1-control:slot)]", ((int)now.sink[ Index((1-((int)((P4 *)_this)->slot)), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 14: // STATE 15 - channel.pml:83 - [((serving==(1-slot)))] (21:0:1 - 1)
		IfNotBlocked
		reached[4][15] = 1;
		if (!((((int)now.serving)==(1-((int)((P4 *)_this)->slot)))))
			continue;
		/* merge: serving = 7(21, 16, 21) */
		reached[4][16] = 1;
		(trpt+1)->bup.oval = ((int)now.serving);
		now.serving = 7;
#ifdef VAR_RANGES
		logval("serving", ((int)now.serving));
#endif
		;
		/* merge: .(goto)(21, 19, 21) */
		reached[4][19] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 15: // STATE 19 - channel.pml:85 - [.(goto)] (0:21:0 - 2)
		IfNotBlocked
		reached[4][19] = 1;
		;
		_m = 3; goto P999; /* 0 */
	case 16: // STATE 21 - channel.pml:87 - [mapped[(1-slot)] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[4][21] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index((1-((int)((P4 *)_this)->slot)), 2) ]);
		now.mapped[ Index((1-((P4 *)_this)->slot), 2) ] = 0;
#ifdef VAR_RANGES
		logval("mapped[(1-control:slot)]", ((int)now.mapped[ Index((1-((int)((P4 *)_this)->slot)), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 17: // STATE 23 - channel.pml:64 - [assert((!(mapped[0])||(slot==0)))] (0:29:1 - 1)
		IfNotBlocked
		reached[4][23] = 1;
		spin_assert(( !(((int)now.mapped[0]))||(((int)((P4 *)_this)->slot)==0)), "( !(mapped[0])||(slot==0))", II, tt, t);
		/* merge: assert((!(mapped[1])||(slot==1)))(29, 24, 29) */
		reached[4][24] = 1;
		spin_assert(( !(((int)now.mapped[1]))||(((int)((P4 *)_this)->slot)==1)), "( !(mapped[1])||(slot==1))", II, tt, t);
		/* merge: serving = slot(29, 25, 29) */
		reached[4][25] = 1;
		(trpt+1)->bup.oval = ((int)now.serving);
		now.serving = ((int)((P4 *)_this)->slot);
#ifdef VAR_RANGES
		logval("serving", ((int)now.serving));
#endif
		;
		_m = 3; goto P999; /* 2 */
	case 18: // STATE 26 - channel.pml:69 - [(((slot!=7)&&sink[slot]))] (109:0:4 - 1)
		IfNotBlocked
		reached[4][26] = 1;
		if (!(((((int)((P4 *)_this)->slot)!=7)&&((int)now.sink[ Index(((int)((P4 *)_this)->slot), 2) ]))))
			continue;
		/* merge: signalled[slot] = 1(109, 27, 109) */
		reached[4][27] = 1;
		(trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((int)now.signalled[ Index(((int)((P4 *)_this)->slot), 2) ]);
		now.signalled[ Index(((P4 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("signalled[control:slot]", ((int)now.signalled[ Index(((int)((P4 *)_this)->slot), 2) ]));
#endif
		;
		/* merge: .(goto)(109, 30, 109) */
		reached[4][30] = 1;
		;
		/* merge: news[0] = 1(109, 31, 109) */
		reached[4][31] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.news[0]);
		now.news[0] = 1;
#ifdef VAR_RANGES
		logval("news[0]", ((int)now.news[0]));
#endif
		;
		/* merge: news[1] = 1(109, 32, 109) */
		reached[4][32] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.news[1]);
		now.news[1] = 1;
#ifdef VAR_RANGES
		logval("news[1]", ((int)now.news[1]));
#endif
		;
		/* merge: lock = 7(109, 34, 109) */
		reached[4][34] = 1;
		(trpt+1)->bup.ovals[3] = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		/* merge: .(goto)(0, 40, 109) */
		reached[4][40] = 1;
		;
		/* merge: .(goto)(0, 107, 109) */
		reached[4][107] = 1;
		;
		/* merge: .(goto)(0, 110, 109) */
		reached[4][110] = 1;
		;
		_m = 3; goto P999; /* 8 */
	case 19: // STATE 31 - channel.pml:73 - [news[0] = 1] (0:109:3 - 3)
		IfNotBlocked
		reached[4][31] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.news[0]);
		now.news[0] = 1;
#ifdef VAR_RANGES
		logval("news[0]", ((int)now.news[0]));
#endif
		;
		/* merge: news[1] = 1(109, 32, 109) */
		reached[4][32] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.news[1]);
		now.news[1] = 1;
#ifdef VAR_RANGES
		logval("news[1]", ((int)now.news[1]));
#endif
		;
		/* merge: lock = 7(109, 34, 109) */
		reached[4][34] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		/* merge: .(goto)(0, 40, 109) */
		reached[4][40] = 1;
		;
		/* merge: .(goto)(0, 107, 109) */
		reached[4][107] = 1;
		;
		/* merge: .(goto)(0, 110, 109) */
		reached[4][110] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 20: // STATE 36 - channel.pml:456 - [(!((attached[slot]&&(serving==(1-slot)))))] (109:0:2 - 1)
		IfNotBlocked
		reached[4][36] = 1;
		if (!( !((((int)now.attached[ Index(((int)((P4 *)_this)->slot), 2) ])&&(((int)now.serving)==(1-((int)((P4 *)_this)->slot)))))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: slot */  (trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((P4 *)_this)->slot;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P4 *)_this)->slot = 0;
		/* merge: lock = 7(0, 37, 109) */
		reached[4][37] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		/* merge: .(goto)(0, 40, 109) */
		reached[4][40] = 1;
		;
		/* merge: .(goto)(0, 107, 109) */
		reached[4][107] = 1;
		;
		/* merge: .(goto)(0, 110, 109) */
		reached[4][110] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 21: // STATE 41 - channel.pml:59 - [((lock==7))] (103:0:1 - 1)
		IfNotBlocked
		reached[4][41] = 1;
		if (!((((int)now.lock)==7)))
			continue;
		/* merge: lock = (2+1)(0, 42, 103) */
		reached[4][42] = 1;
		(trpt+1)->bup.oval = ((int)now.lock);
		now.lock = (2+1);
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 22: // STATE 45 - channel.pml:95 - [(!(attached[slot]))] (104:0:1 - 1)
		IfNotBlocked
		reached[4][45] = 1;
		if (!( !(((int)now.attached[ Index(((int)((P4 *)_this)->slot), 2) ]))))
			continue;
		/* merge: lock = 7(0, 46, 104) */
		reached[4][46] = 1;
		(trpt+1)->bup.oval = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		/* merge: .(goto)(0, 102, 104) */
		reached[4][102] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 23: // STATE 48 - channel.pml:96 - [((attached[slot]&&(serving!=slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[4][48] = 1;
		if (!((((int)now.attached[ Index(((int)((P4 *)_this)->slot), 2) ])&&(((int)now.serving)!=((int)((P4 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 24: // STATE 49 - channel.pml:80 - [attached[slot] = 0] (0:54:2 - 1)
		IfNotBlocked
		reached[4][49] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.attached[ Index(((int)((P4 *)_this)->slot), 2) ]);
		now.attached[ Index(((P4 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("attached[control:slot]", ((int)now.attached[ Index(((int)((P4 *)_this)->slot), 2) ]));
#endif
		;
		/* merge: sink[slot] = 0(54, 50, 54) */
		reached[4][50] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.sink[ Index(((int)((P4 *)_this)->slot), 2) ]);
		now.sink[ Index(((P4 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("sink[control:slot]", ((int)now.sink[ Index(((int)((P4 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 25: // STATE 51 - channel.pml:83 - [((serving==slot))] (57:0:1 - 1)
		IfNotBlocked
		reached[4][51] = 1;
		if (!((((int)now.serving)==((int)((P4 *)_this)->slot))))
			continue;
		/* merge: serving = 7(57, 52, 57) */
		reached[4][52] = 1;
		(trpt+1)->bup.oval = ((int)now.serving);
		now.serving = 7;
#ifdef VAR_RANGES
		logval("serving", ((int)now.serving));
#endif
		;
		/* merge: .(goto)(57, 55, 57) */
		reached[4][55] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 26: // STATE 55 - channel.pml:85 - [.(goto)] (0:57:0 - 2)
		IfNotBlocked
		reached[4][55] = 1;
		;
		_m = 3; goto P999; /* 0 */
	case 27: // STATE 57 - channel.pml:87 - [mapped[slot] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[4][57] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index(((int)((P4 *)_this)->slot), 2) ]);
		now.mapped[ Index(((P4 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("mapped[control:slot]", ((int)now.mapped[ Index(((int)((P4 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 28: // STATE 59 - channel.pml:98 - [news[slot] = 1] (0:104:2 - 1)
		IfNotBlocked
		reached[4][59] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.news[ Index(((int)((P4 *)_this)->slot), 2) ]);
		now.news[ Index(((P4 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("news[control:slot]", ((int)now.news[ Index(((int)((P4 *)_this)->slot), 2) ]));
#endif
		;
		/* merge: lock = 7(104, 60, 104) */
		reached[4][60] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		/* merge: .(goto)(0, 102, 104) */
		reached[4][102] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 29: // STATE 62 - channel.pml:99 - [((attached[slot]&&(serving==slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[4][62] = 1;
		if (!((((int)now.attached[ Index(((int)((P4 *)_this)->slot), 2) ])&&(((int)now.serving)==((int)((P4 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 30: // STATE 63 - channel.pml:80 - [attached[slot] = 0] (0:68:2 - 1)
		IfNotBlocked
		reached[4][63] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.attached[ Index(((int)((P4 *)_this)->slot), 2) ]);
		now.attached[ Index(((P4 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("attached[control:slot]", ((int)now.attached[ Index(((int)((P4 *)_this)->slot), 2) ]));
#endif
		;
		/* merge: sink[slot] = 0(68, 64, 68) */
		reached[4][64] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.sink[ Index(((int)((P4 *)_this)->slot), 2) ]);
		now.sink[ Index(((P4 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("sink[control:slot]", ((int)now.sink[ Index(((int)((P4 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 31: // STATE 65 - channel.pml:83 - [((serving==slot))] (71:0:1 - 1)
		IfNotBlocked
		reached[4][65] = 1;
		if (!((((int)now.serving)==((int)((P4 *)_this)->slot))))
			continue;
		/* merge: serving = 7(71, 66, 71) */
		reached[4][66] = 1;
		(trpt+1)->bup.oval = ((int)now.serving);
		now.serving = 7;
#ifdef VAR_RANGES
		logval("serving", ((int)now.serving));
#endif
		;
		/* merge: .(goto)(71, 69, 71) */
		reached[4][69] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 32: // STATE 69 - channel.pml:85 - [.(goto)] (0:71:0 - 2)
		IfNotBlocked
		reached[4][69] = 1;
		;
		_m = 3; goto P999; /* 0 */
	case 33: // STATE 71 - channel.pml:87 - [mapped[slot] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[4][71] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index(((int)((P4 *)_this)->slot), 2) ]);
		now.mapped[ Index(((P4 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("mapped[control:slot]", ((int)now.mapped[ Index(((int)((P4 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 34: // STATE 73 - channel.pml:103 - [(attached[(1-slot)])] (0:0:0 - 1)
		IfNotBlocked
		reached[4][73] = 1;
		if (!(((int)now.attached[ Index((1-((int)((P4 *)_this)->slot)), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 35: // STATE 74 - channel.pml:64 - [assert((!(mapped[0])||((1-slot)==0)))] (0:80:1 - 1)
		IfNotBlocked
		reached[4][74] = 1;
		spin_assert(( !(((int)now.mapped[0]))||((1-((int)((P4 *)_this)->slot))==0)), "( !(mapped[0])||((1-slot)==0))", II, tt, t);
		/* merge: assert((!(mapped[1])||((1-slot)==1)))(80, 75, 80) */
		reached[4][75] = 1;
		spin_assert(( !(((int)now.mapped[1]))||((1-((int)((P4 *)_this)->slot))==1)), "( !(mapped[1])||((1-slot)==1))", II, tt, t);
		/* merge: serving = (1-slot)(80, 76, 80) */
		reached[4][76] = 1;
		(trpt+1)->bup.oval = ((int)now.serving);
		now.serving = (1-((int)((P4 *)_this)->slot));
#ifdef VAR_RANGES
		logval("serving", ((int)now.serving));
#endif
		;
		_m = 3; goto P999; /* 2 */
	case 36: // STATE 77 - channel.pml:69 - [((((1-slot)!=7)&&sink[(1-slot)]))] (104:0:4 - 1)
		IfNotBlocked
		reached[4][77] = 1;
		if (!((((1-((int)((P4 *)_this)->slot))!=7)&&((int)now.sink[ Index((1-((int)((P4 *)_this)->slot)), 2) ]))))
			continue;
		/* merge: signalled[(1-slot)] = 1(104, 78, 104) */
		reached[4][78] = 1;
		(trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((int)now.signalled[ Index((1-((int)((P4 *)_this)->slot)), 2) ]);
		now.signalled[ Index((1-((P4 *)_this)->slot), 2) ] = 1;
#ifdef VAR_RANGES
		logval("signalled[(1-control:slot)]", ((int)now.signalled[ Index((1-((int)((P4 *)_this)->slot)), 2) ]));
#endif
		;
		/* merge: .(goto)(104, 81, 104) */
		reached[4][81] = 1;
		;
		/* merge: news[0] = 1(104, 82, 104) */
		reached[4][82] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.news[0]);
		now.news[0] = 1;
#ifdef VAR_RANGES
		logval("news[0]", ((int)now.news[0]));
#endif
		;
		/* merge: news[1] = 1(104, 83, 104) */
		reached[4][83] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.news[1]);
		now.news[1] = 1;
#ifdef VAR_RANGES
		logval("news[1]", ((int)now.news[1]));
#endif
		;
		/* merge: .(goto)(104, 98, 104) */
		reached[4][98] = 1;
		;
		/* merge: lock = 7(104, 99, 104) */
		reached[4][99] = 1;
		(trpt+1)->bup.ovals[3] = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		/* merge: .(goto)(0, 102, 104) */
		reached[4][102] = 1;
		;
		_m = 3; goto P999; /* 7 */
	case 37: // STATE 82 - channel.pml:73 - [news[0] = 1] (0:104:3 - 3)
		IfNotBlocked
		reached[4][82] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.news[0]);
		now.news[0] = 1;
#ifdef VAR_RANGES
		logval("news[0]", ((int)now.news[0]));
#endif
		;
		/* merge: news[1] = 1(104, 83, 104) */
		reached[4][83] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.news[1]);
		now.news[1] = 1;
#ifdef VAR_RANGES
		logval("news[1]", ((int)now.news[1]));
#endif
		;
		/* merge: .(goto)(104, 98, 104) */
		reached[4][98] = 1;
		;
		/* merge: lock = 7(104, 99, 104) */
		reached[4][99] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		/* merge: .(goto)(0, 102, 104) */
		reached[4][102] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 38: // STATE 98 - channel.pml:106 - [.(goto)] (0:104:1 - 2)
		IfNotBlocked
		reached[4][98] = 1;
		;
		/* merge: lock = 7(104, 99, 104) */
		reached[4][99] = 1;
		(trpt+1)->bup.oval = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		/* merge: .(goto)(0, 102, 104) */
		reached[4][102] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 39: // STATE 86 - channel.pml:64 - [assert((!(mapped[0])||(7==0)))] (0:92:1 - 1)
		IfNotBlocked
		reached[4][86] = 1;
		spin_assert(( !(((int)now.mapped[0]))||(7==0)), "( !(mapped[0])||(7==0))", II, tt, t);
		/* merge: assert((!(mapped[1])||(7==1)))(92, 87, 92) */
		reached[4][87] = 1;
		spin_assert(( !(((int)now.mapped[1]))||(7==1)), "( !(mapped[1])||(7==1))", II, tt, t);
		/* merge: serving = 7(92, 88, 92) */
		reached[4][88] = 1;
		(trpt+1)->bup.oval = ((int)now.serving);
		now.serving = 7;
#ifdef VAR_RANGES
		logval("serving", ((int)now.serving));
#endif
		;
		_m = 3; goto P999; /* 2 */
	case 40: // STATE 89 - channel.pml:69 - [(((7!=7)&&sink[7]))] (104:0:4 - 1)
		IfNotBlocked
		reached[4][89] = 1;
		if (!(((7!=7)&&((int)now.sink[ Index(7, 2) ]))))
			continue;
		/* merge: signalled[7] = 1(104, 90, 104) */
		reached[4][90] = 1;
		(trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((int)now.signalled[ Index(7, 2) ]);
		now.signalled[ Index(7, 2) ] = 1;
#ifdef VAR_RANGES
		logval("signalled[7]", ((int)now.signalled[ Index(7, 2) ]));
#endif
		;
		/* merge: .(goto)(104, 93, 104) */
		reached[4][93] = 1;
		;
		/* merge: news[0] = 1(104, 94, 104) */
		reached[4][94] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.news[0]);
		now.news[0] = 1;
#ifdef VAR_RANGES
		logval("news[0]", ((int)now.news[0]));
#endif
		;
		/* merge: news[1] = 1(104, 95, 104) */
		reached[4][95] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.news[1]);
		now.news[1] = 1;
#ifdef VAR_RANGES
		logval("news[1]", ((int)now.news[1]));
#endif
		;
		/* merge: .(goto)(104, 98, 104) */
		reached[4][98] = 1;
		;
		/* merge: lock = 7(104, 99, 104) */
		reached[4][99] = 1;
		(trpt+1)->bup.ovals[3] = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		/* merge: .(goto)(0, 102, 104) */
		reached[4][102] = 1;
		;
		_m = 3; goto P999; /* 7 */
	case 41: // STATE 94 - channel.pml:73 - [news[0] = 1] (0:104:3 - 3)
		IfNotBlocked
		reached[4][94] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.news[0]);
		now.news[0] = 1;
#ifdef VAR_RANGES
		logval("news[0]", ((int)now.news[0]));
#endif
		;
		/* merge: news[1] = 1(104, 95, 104) */
		reached[4][95] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.news[1]);
		now.news[1] = 1;
#ifdef VAR_RANGES
		logval("news[1]", ((int)now.news[1]));
#endif
		;
		/* merge: .(goto)(104, 98, 104) */
		reached[4][98] = 1;
		;
		/* merge: lock = 7(104, 99, 104) */
		reached[4][99] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		/* merge: .(goto)(0, 102, 104) */
		reached[4][102] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 42: // STATE 104 - channel.pml:460 - [news[slot] = 1] (0:0:1 - 4)
		IfNotBlocked
		reached[4][104] = 1;
		(trpt+1)->bup.oval = ((int)now.news[ Index(((int)((P4 *)_this)->slot), 2) ]);
		now.news[ Index(((P4 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("news[control:slot]", ((int)now.news[ Index(((int)((P4 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 43: // STATE 105 - channel.pml:461 - [dying[slot] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[4][105] = 1;
		(trpt+1)->bup.oval = ((int)now.dying[ Index(((int)((P4 *)_this)->slot), 2) ]);
		now.dying[ Index(((P4 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("dying[control:slot]", ((int)now.dying[ Index(((int)((P4 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 44: // STATE 112 - channel.pml:465 - [-end-] (0:0:0 - 2)
		IfNotBlocked
		reached[4][112] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */

		 /* PROC server */
	case 45: // STATE 442 - channel.pml:407 - [((dying[slot]&&(lock!=slot)))] (0:0:0 - 233)
		IfNotBlocked
		reached[3][442] = 1;
		if (!((((int)now.dying[ Index(((int)((P3 *)_this)->slot), 2) ])&&(((int)now.lock)!=((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 46: // STATE 2 - channel.pml:114 - [((lock==7))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][2] = 1;
		if (!((((int)now.lock)==7)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 47: // STATE 3 - channel.pml:115 - [attached[slot] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][3] = 1;
		(trpt+1)->bup.oval = ((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.attached[ Index(((P3 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("attached[server:slot]", ((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 48: // STATE 4 - channel.pml:115 - [news[slot] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][4] = 1;
		(trpt+1)->bup.oval = ((int)now.news[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.news[ Index(((P3 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("news[server:slot]", ((int)now.news[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 49: // STATE 5 - channel.pml:117 - [((serving==7))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][5] = 1;
		if (!((((int)now.serving)==7)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 50: // STATE 6 - channel.pml:64 - [assert((!(mapped[0])||(slot==0)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][6] = 1;
		spin_assert(( !(((int)now.mapped[0]))||(((int)((P3 *)_this)->slot)==0)), "( !(mapped[0])||(slot==0))", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 51: // STATE 7 - channel.pml:65 - [assert((!(mapped[1])||(slot==1)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][7] = 1;
		spin_assert(( !(((int)now.mapped[1]))||(((int)((P3 *)_this)->slot)==1)), "( !(mapped[1])||(slot==1))", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 52: // STATE 8 - channel.pml:66 - [serving = slot] (0:0:1 - 1)
		IfNotBlocked
		reached[3][8] = 1;
		(trpt+1)->bup.oval = ((int)now.serving);
		now.serving = ((int)((P3 *)_this)->slot);
#ifdef VAR_RANGES
		logval("serving", ((int)now.serving));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 53: // STATE 9 - channel.pml:69 - [(((slot!=7)&&sink[slot]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][9] = 1;
		if (!(((((int)((P3 *)_this)->slot)!=7)&&((int)now.sink[ Index(((int)((P3 *)_this)->slot), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 54: // STATE 10 - channel.pml:69 - [signalled[slot] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][10] = 1;
		(trpt+1)->bup.oval = ((int)now.signalled[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.signalled[ Index(((P3 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("signalled[server:slot]", ((int)now.signalled[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 55: // STATE 14 - channel.pml:73 - [news[0] = 1] (0:0:1 - 3)
		IfNotBlocked
		reached[3][14] = 1;
		(trpt+1)->bup.oval = ((int)now.news[0]);
		now.news[0] = 1;
#ifdef VAR_RANGES
		logval("news[0]", ((int)now.news[0]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 56: // STATE 15 - channel.pml:73 - [news[1] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][15] = 1;
		(trpt+1)->bup.oval = ((int)now.news[1]);
		now.news[1] = 1;
#ifdef VAR_RANGES
		logval("news[1]", ((int)now.news[1]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 57: // STATE 22 - channel.pml:126 - [((lock==7))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][22] = 1;
		if (!((((int)now.lock)==7)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 58: // STATE 23 - channel.pml:128 - [(attached[slot])] (0:0:0 - 1)
		IfNotBlocked
		reached[3][23] = 1;
		if (!(((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 59: // STATE 24 - channel.pml:129 - [sink[slot] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][24] = 1;
		(trpt+1)->bup.oval = ((int)now.sink[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.sink[ Index(((P3 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("sink[server:slot]", ((int)now.sink[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 60: // STATE 25 - channel.pml:132 - [((serving==slot))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][25] = 1;
		if (!((((int)now.serving)==((int)((P3 *)_this)->slot))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 61: // STATE 26 - channel.pml:132 - [signalled[slot] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][26] = 1;
		(trpt+1)->bup.oval = ((int)now.signalled[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.signalled[ Index(((P3 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("signalled[server:slot]", ((int)now.signalled[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 62: // STATE 35 - channel.pml:337 - [(((serving==slot)&&attached[slot]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][35] = 1;
		if (!(((((int)now.serving)==((int)((P3 *)_this)->slot))&&((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 63: // STATE 37 - channel.pml:338 - [(news[slot])] (0:0:0 - 1)
		IfNotBlocked
		reached[3][37] = 1;
		if (!(((int)now.news[ Index(((int)((P3 *)_this)->slot), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 64: // STATE 38 - channel.pml:339 - [news[slot] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][38] = 1;
		(trpt+1)->bup.oval = ((int)now.news[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.news[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("news[server:slot]", ((int)now.news[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 65: // STATE 39 - channel.pml:341 - [(!(attached[slot]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][39] = 1;
		if (!( !(((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 66: // STATE 48 - channel.pml:349 - [((fence==7))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][48] = 1;
		if (!((((int)now.fence)==7)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 67: // STATE 49 - channel.pml:349 - [fence = slot] (0:0:1 - 1)
		IfNotBlocked
		reached[3][49] = 1;
		(trpt+1)->bup.oval = ((int)now.fence);
		now.fence = ((int)((P3 *)_this)->slot);
#ifdef VAR_RANGES
		logval("fence", ((int)now.fence));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 68: // STATE 51 - channel.pml:350 - [((fence==slot))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][51] = 1;
		if (!((((int)now.fence)==((int)((P3 *)_this)->slot))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 69: // STATE 52 - channel.pml:351 - [(((serving!=slot)||!(attached[slot])))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][52] = 1;
		if (!(((((int)now.serving)!=((int)((P3 *)_this)->slot))|| !(((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 70: // STATE 56 - channel.pml:297 - [(mapped[slot])] (0:0:0 - 1)
		IfNotBlocked
		reached[3][56] = 1;
		if (!(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 71: // STATE 57 - channel.pml:297 - [done = recorded] (0:0:1 - 1)
		IfNotBlocked
		reached[3][57] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->done);
		((P3 *)_this)->done = ((int)now.recorded);
#ifdef VAR_RANGES
		logval("server:done", ((int)((P3 *)_this)->done));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 72: // STATE 58 - channel.pml:297 - [taken = recorded] (0:0:1 - 1)
		IfNotBlocked
		reached[3][58] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->taken);
		((P3 *)_this)->taken = ((int)now.recorded);
#ifdef VAR_RANGES
		logval("server:taken", ((int)((P3 *)_this)->taken));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 73: // STATE 59 - channel.pml:297 - [i = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][59] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->i);
		((P3 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("server:i", ((int)((P3 *)_this)->i));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 74: // STATE 60 - channel.pml:297 - [((i<1))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][60] = 1;
		if (!((((int)((P3 *)_this)->i)<1)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 75: // STATE 61 - channel.pml:297 - [(((state[i]==DONE)&&(position[i]<recorded)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][61] = 1;
		if (!(((now.state[ Index(((int)((P3 *)_this)->i), 1) ]==1)&&(((int)now.position[ Index(((int)((P3 *)_this)->i), 1) ])<((int)now.recorded)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 76: // STATE 62 - channel.pml:297 - [state[i] = FREE] (0:0:1 - 1)
		IfNotBlocked
		reached[3][62] = 1;
		(trpt+1)->bup.oval = now.state[ Index(((int)((P3 *)_this)->i), 1) ];
		now.state[ Index(((P3 *)_this)->i, 1) ] = 3;
#ifdef VAR_RANGES
		logval("state[server:i]", now.state[ Index(((int)((P3 *)_this)->i), 1) ]);
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 77: // STATE 63 - channel.pml:297 - [(((state[i]==DONE)&&(position[i]>=recorded)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][63] = 1;
		if (!(((now.state[ Index(((int)((P3 *)_this)->i), 1) ]==1)&&(((int)now.position[ Index(((int)((P3 *)_this)->i), 1) ])>=((int)now.recorded)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 78: // STATE 64 - channel.pml:297 - [element[position[i]] = i] (0:0:1 - 1)
		IfNotBlocked
		reached[3][64] = 1;
		(trpt+1)->bup.oval = ((int)now.element[ Index(((int)now.position[ Index(((int)((P3 *)_this)->i), 1) ]), 1) ]);
		now.element[ Index(now.position[ Index(((P3 *)_this)->i, 1) ], 1) ] = ((int)((P3 *)_this)->i);
#ifdef VAR_RANGES
		logval("element[position[server:i]]", ((int)now.element[ Index(((int)now.position[ Index(((int)((P3 *)_this)->i), 1) ]), 1) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 79: // STATE 65 - channel.pml:297 - [done = (done+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[3][65] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->done);
		((P3 *)_this)->done = (((int)((P3 *)_this)->done)+1);
#ifdef VAR_RANGES
		logval("server:done", ((int)((P3 *)_this)->done));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 80: // STATE 66 - channel.pml:297 - [taken = (taken+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[3][66] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->taken);
		((P3 *)_this)->taken = (((int)((P3 *)_this)->taken)+1);
#ifdef VAR_RANGES
		logval("server:taken", ((int)((P3 *)_this)->taken));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 81: // STATE 67 - channel.pml:297 - [((state[i]==SUBMITTED))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][67] = 1;
		if (!((now.state[ Index(((int)((P3 *)_this)->i), 1) ]==2)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 82: // STATE 68 - channel.pml:297 - [taken = (taken+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[3][68] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->taken);
		((P3 *)_this)->taken = (((int)((P3 *)_this)->taken)+1);
#ifdef VAR_RANGES
		logval("server:taken", ((int)((P3 *)_this)->taken));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 83: // STATE 72 - channel.pml:297 - [i = (i+1)] (0:0:1 - 5)
		IfNotBlocked
		reached[3][72] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->i);
		((P3 *)_this)->i = (((int)((P3 *)_this)->i)+1);
#ifdef VAR_RANGES
		logval("server:i", ((int)((P3 *)_this)->i));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 84: // STATE 74 - channel.pml:297 - [i = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][74] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->i);
		((P3 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("server:i", ((int)((P3 *)_this)->i));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 85: // STATE 81 - channel.pml:297 - [(!(mapped[slot]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][81] = 1;
		if (!( !(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 86: // STATE 82 - channel.pml:297 - [((((lock==7)&&attached[slot])&&(serving==slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][82] = 1;
		if (!((((((int)now.lock)==7)&&((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]))&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 87: // STATE 83 - channel.pml:297 - [mapped[slot] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][83] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("mapped[server:slot]", ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 88: // STATE 85 - channel.pml:297 - [(((lock==7)&&!((attached[slot]&&(serving==slot)))))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][85] = 1;
		if (!(((((int)now.lock)==7)&& !((((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 89: // STATE 92 - channel.pml:252 - [(mapped[slot])] (0:0:0 - 1)
		IfNotBlocked
		reached[3][92] = 1;
		if (!(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 90: // STATE 93 - channel.pml:252 - [used = done] (0:0:1 - 1)
		IfNotBlocked
		reached[3][93] = 1;
		(trpt+1)->bup.oval = ((int)now.used);
		now.used = ((int)((P3 *)_this)->done);
#ifdef VAR_RANGES
		logval("used", ((int)now.used));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 91: // STATE 96 - channel.pml:252 - [(!(mapped[slot]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][96] = 1;
		if (!( !(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 92: // STATE 97 - channel.pml:252 - [((((lock==7)&&attached[slot])&&(serving==slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][97] = 1;
		if (!((((((int)now.lock)==7)&&((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]))&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 93: // STATE 98 - channel.pml:252 - [mapped[slot] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][98] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("mapped[server:slot]", ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 94: // STATE 100 - channel.pml:252 - [(((lock==7)&&!((attached[slot]&&(serving==slot)))))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][100] = 1;
		if (!(((((int)now.lock)==7)&& !((((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 95: // STATE 107 - channel.pml:253 - [(mapped[slot])] (0:0:0 - 1)
		IfNotBlocked
		reached[3][107] = 1;
		if (!(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 96: // STATE 108 - channel.pml:253 - [recorded = done] (0:0:1 - 1)
		IfNotBlocked
		reached[3][108] = 1;
		(trpt+1)->bup.oval = ((int)now.recorded);
		now.recorded = ((int)((P3 *)_this)->done);
#ifdef VAR_RANGES
		logval("recorded", ((int)now.recorded));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 97: // STATE 111 - channel.pml:253 - [(!(mapped[slot]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][111] = 1;
		if (!( !(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 98: // STATE 112 - channel.pml:253 - [((((lock==7)&&attached[slot])&&(serving==slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][112] = 1;
		if (!((((((int)now.lock)==7)&&((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]))&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 99: // STATE 113 - channel.pml:253 - [mapped[slot] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][113] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("mapped[server:slot]", ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 100: // STATE 115 - channel.pml:253 - [(((lock==7)&&!((attached[slot]&&(serving==slot)))))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][115] = 1;
		if (!(((((int)now.lock)==7)&& !((((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 101: // STATE 122 - channel.pml:254 - [(mapped[slot])] (0:0:0 - 1)
		IfNotBlocked
		reached[3][122] = 1;
		if (!(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 102: // STATE 123 - channel.pml:254 - [i = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][123] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->i);
		((P3 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("server:i", ((int)((P3 *)_this)->i));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 103: // STATE 124 - channel.pml:254 - [((i<1))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][124] = 1;
		if (!((((int)((P3 *)_this)->i)<1)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 104: // STATE 125 - channel.pml:254 - [(((state[i]==DONE)&&(position[i]<done)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][125] = 1;
		if (!(((now.state[ Index(((int)((P3 *)_this)->i), 1) ]==1)&&(((int)now.position[ Index(((int)((P3 *)_this)->i), 1) ])<((int)((P3 *)_this)->done)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 105: // STATE 126 - channel.pml:254 - [state[i] = FREE] (0:0:1 - 1)
		IfNotBlocked
		reached[3][126] = 1;
		(trpt+1)->bup.oval = now.state[ Index(((int)((P3 *)_this)->i), 1) ];
		now.state[ Index(((P3 *)_this)->i, 1) ] = 3;
#ifdef VAR_RANGES
		logval("state[server:i]", now.state[ Index(((int)((P3 *)_this)->i), 1) ]);
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 106: // STATE 130 - channel.pml:254 - [i = (i+1)] (0:0:1 - 3)
		IfNotBlocked
		reached[3][130] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->i);
		((P3 *)_this)->i = (((int)((P3 *)_this)->i)+1);
#ifdef VAR_RANGES
		logval("server:i", ((int)((P3 *)_this)->i));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 107: // STATE 132 - channel.pml:254 - [i = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][132] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->i);
		((P3 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("server:i", ((int)((P3 *)_this)->i));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 108: // STATE 139 - channel.pml:254 - [(!(mapped[slot]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][139] = 1;
		if (!( !(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 109: // STATE 140 - channel.pml:254 - [((((lock==7)&&attached[slot])&&(serving==slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][140] = 1;
		if (!((((((int)now.lock)==7)&&((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]))&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 110: // STATE 141 - channel.pml:254 - [mapped[slot] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][141] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("mapped[server:slot]", ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 111: // STATE 143 - channel.pml:254 - [(((lock==7)&&!((attached[slot]&&(serving==slot)))))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][143] = 1;
		if (!(((((int)now.lock)==7)&& !((((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 112: // STATE 150 - channel.pml:169 - [((attached[slot]&&(serving==slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][150] = 1;
		if (!((((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 113: // STATE 151 - channel.pml:169 - [interrupt = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][151] = 1;
		(trpt+1)->bup.oval = ((int)now.interrupt);
		now.interrupt = 1;
#ifdef VAR_RANGES
		logval("interrupt", ((int)now.interrupt));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 114: // STATE 158 - channel.pml:300 - [r = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][158] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->r);
		((P3 *)_this)->r = 0;
#ifdef VAR_RANGES
		logval("server:r", ((int)((P3 *)_this)->r));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 115: // STATE 159 - channel.pml:302 - [((r<1))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][159] = 1;
		if (!((((int)((P3 *)_this)->r)<1)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 116: // STATE 160 - channel.pml:304 - [((state[r]==SUBMITTED))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][160] = 1;
		if (!((now.state[ Index(((int)((P3 *)_this)->r), 1) ]==2)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 117: // STATE 161 - channel.pml:290 - [io_of[r] = slot] (0:0:1 - 1)
		IfNotBlocked
		reached[3][161] = 1;
		(trpt+1)->bup.oval = ((int)now.io_of[ Index(((int)((P3 *)_this)->r), 1) ]);
		now.io_of[ Index(((P3 *)_this)->r, 1) ] = ((int)((P3 *)_this)->slot);
#ifdef VAR_RANGES
		logval("io_of[server:r]", ((int)now.io_of[ Index(((int)((P3 *)_this)->r), 1) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 118: // STATE 162 - channel.pml:290 - [io_over[r] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][162] = 1;
		(trpt+1)->bup.oval = ((int)now.io_over[ Index(((int)((P3 *)_this)->r), 1) ]);
		now.io_over[ Index(((P3 *)_this)->r, 1) ] = 0;
#ifdef VAR_RANGES
		logval("io_over[server:r]", ((int)now.io_over[ Index(((int)((P3 *)_this)->r), 1) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 119: // STATE 168 - channel.pml:307 - [r = (r+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[3][168] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->r);
		((P3 *)_this)->r = (((int)((P3 *)_this)->r)+1);
#ifdef VAR_RANGES
		logval("server:r", ((int)((P3 *)_this)->r));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 120: // STATE 171 - channel.pml:308 - [r = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][171] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->r);
		((P3 *)_this)->r = 0;
#ifdef VAR_RANGES
		logval("server:r", ((int)((P3 *)_this)->r));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 121: // STATE 177 - channel.pml:363 - [(mapped[slot])] (0:0:0 - 1)
		IfNotBlocked
		reached[3][177] = 1;
		if (!(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 122: // STATE 178 - channel.pml:363 - [quiet = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][178] = 1;
		(trpt+1)->bup.oval = ((int)now.quiet);
		now.quiet = 1;
#ifdef VAR_RANGES
		logval("quiet", ((int)now.quiet));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 123: // STATE 181 - channel.pml:363 - [(!(mapped[slot]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][181] = 1;
		if (!( !(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 124: // STATE 182 - channel.pml:363 - [((((lock==7)&&attached[slot])&&(serving==slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][182] = 1;
		if (!((((((int)now.lock)==7)&&((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]))&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 125: // STATE 183 - channel.pml:363 - [mapped[slot] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][183] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("mapped[server:slot]", ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 126: // STATE 185 - channel.pml:363 - [(((lock==7)&&!((attached[slot]&&(serving==slot)))))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][185] = 1;
		if (!(((((int)now.lock)==7)&& !((((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 127: // STATE 192 - channel.pml:365 - [((taken<available))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][192] = 1;
		if (!((((int)((P3 *)_this)->taken)<((int)now.available))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 128: // STATE 193 - channel.pml:366 - [(mapped[slot])] (0:0:0 - 1)
		IfNotBlocked
		reached[3][193] = 1;
		if (!(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 129: // STATE 194 - channel.pml:366 - [state[taken] = SUBMITTED] (0:0:1 - 1)
		IfNotBlocked
		reached[3][194] = 1;
		(trpt+1)->bup.oval = now.state[ Index(((int)((P3 *)_this)->taken), 1) ];
		now.state[ Index(((P3 *)_this)->taken, 1) ] = 2;
#ifdef VAR_RANGES
		logval("state[server:taken]", now.state[ Index(((int)((P3 *)_this)->taken), 1) ]);
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 130: // STATE 197 - channel.pml:366 - [(!(mapped[slot]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][197] = 1;
		if (!( !(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 131: // STATE 198 - channel.pml:366 - [((((lock==7)&&attached[slot])&&(serving==slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][198] = 1;
		if (!((((((int)now.lock)==7)&&((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]))&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 132: // STATE 199 - channel.pml:366 - [mapped[slot] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][199] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("mapped[server:slot]", ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 133: // STATE 201 - channel.pml:366 - [(((lock==7)&&!((attached[slot]&&(serving==slot)))))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][201] = 1;
		if (!(((((int)now.lock)==7)&& !((((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 134: // STATE 208 - channel.pml:290 - [io_of[taken] = slot] (0:0:1 - 1)
		IfNotBlocked
		reached[3][208] = 1;
		(trpt+1)->bup.oval = ((int)now.io_of[ Index(((int)((P3 *)_this)->taken), 1) ]);
		now.io_of[ Index(((P3 *)_this)->taken, 1) ] = ((int)((P3 *)_this)->slot);
#ifdef VAR_RANGES
		logval("io_of[server:taken]", ((int)now.io_of[ Index(((int)((P3 *)_this)->taken), 1) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 135: // STATE 209 - channel.pml:290 - [io_over[taken] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][209] = 1;
		(trpt+1)->bup.oval = ((int)now.io_over[ Index(((int)((P3 *)_this)->taken), 1) ]);
		now.io_over[ Index(((P3 *)_this)->taken, 1) ] = 0;
#ifdef VAR_RANGES
		logval("io_over[server:taken]", ((int)now.io_over[ Index(((int)((P3 *)_this)->taken), 1) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 136: // STATE 212 - channel.pml:367 - [taken = (taken+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[3][212] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->taken);
		((P3 *)_this)->taken = (((int)((P3 *)_this)->taken)+1);
#ifdef VAR_RANGES
		logval("server:taken", ((int)((P3 *)_this)->taken));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 137: // STATE 219 - channel.pml:370 - [(mapped[slot])] (0:0:0 - 1)
		IfNotBlocked
		reached[3][219] = 1;
		if (!(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 138: // STATE 220 - channel.pml:370 - [quiet = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][220] = 1;
		(trpt+1)->bup.oval = ((int)now.quiet);
		now.quiet = 0;
#ifdef VAR_RANGES
		logval("quiet", ((int)now.quiet));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 139: // STATE 223 - channel.pml:370 - [(!(mapped[slot]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][223] = 1;
		if (!( !(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 140: // STATE 224 - channel.pml:370 - [((((lock==7)&&attached[slot])&&(serving==slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][224] = 1;
		if (!((((((int)now.lock)==7)&&((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]))&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 141: // STATE 225 - channel.pml:370 - [mapped[slot] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][225] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("mapped[server:slot]", ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 142: // STATE 227 - channel.pml:370 - [(((lock==7)&&!((attached[slot]&&(serving==slot)))))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][227] = 1;
		if (!(((((int)now.lock)==7)&& !((((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 143: // STATE 234 - channel.pml:373 - [((taken<available))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][234] = 1;
		if (!((((int)((P3 *)_this)->taken)<((int)now.available))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 144: // STATE 239 - channel.pml:380 - [(signalled[slot])] (0:0:0 - 1)
		IfNotBlocked
		reached[3][239] = 1;
		if (!(((int)now.signalled[ Index(((int)((P3 *)_this)->slot), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 145: // STATE 240 - channel.pml:380 - [signalled[slot] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][240] = 1;
		(trpt+1)->bup.oval = ((int)now.signalled[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.signalled[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("signalled[server:slot]", ((int)now.signalled[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 146: // STATE 243 - channel.pml:381 - [(((io_of[0]==slot)&&io_over[0]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][243] = 1;
		if (!(((((int)now.io_of[0])==((int)((P3 *)_this)->slot))&&((int)now.io_over[0]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 147: // STATE 244 - channel.pml:273 - [(((io_of[0]==slot)&&io_over[0]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][244] = 1;
		if (!(((((int)now.io_of[0])==((int)((P3 *)_this)->slot))&&((int)now.io_over[0]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 148: // STATE 245 - channel.pml:273 - [r = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][245] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->r);
		((P3 *)_this)->r = 0;
#ifdef VAR_RANGES
		logval("server:r", ((int)((P3 *)_this)->r));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 149: // STATE 248 - channel.pml:278 - [io_of[r] = 7] (0:0:1 - 2)
		IfNotBlocked
		reached[3][248] = 1;
		(trpt+1)->bup.oval = ((int)now.io_of[ Index(((int)((P3 *)_this)->r), 1) ]);
		now.io_of[ Index(((P3 *)_this)->r, 1) ] = 7;
#ifdef VAR_RANGES
		logval("io_of[server:r]", ((int)now.io_of[ Index(((int)((P3 *)_this)->r), 1) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 150: // STATE 249 - channel.pml:278 - [io_over[r] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][249] = 1;
		(trpt+1)->bup.oval = ((int)now.io_over[ Index(((int)((P3 *)_this)->r), 1) ]);
		now.io_over[ Index(((P3 *)_this)->r, 1) ] = 0;
#ifdef VAR_RANGES
		logval("io_over[server:r]", ((int)now.io_over[ Index(((int)((P3 *)_this)->r), 1) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 151: // STATE 251 - channel.pml:279 - [(mapped[slot])] (0:0:0 - 1)
		IfNotBlocked
		reached[3][251] = 1;
		if (!(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 152: // STATE 252 - channel.pml:279 - [position[r] = done] (0:0:1 - 1)
		IfNotBlocked
		reached[3][252] = 1;
		(trpt+1)->bup.oval = ((int)now.position[ Index(((int)((P3 *)_this)->r), 1) ]);
		now.position[ Index(((P3 *)_this)->r, 1) ] = ((int)((P3 *)_this)->done);
#ifdef VAR_RANGES
		logval("position[server:r]", ((int)now.position[ Index(((int)((P3 *)_this)->r), 1) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 153: // STATE 253 - channel.pml:279 - [state[r] = DONE] (0:0:1 - 1)
		IfNotBlocked
		reached[3][253] = 1;
		(trpt+1)->bup.oval = now.state[ Index(((int)((P3 *)_this)->r), 1) ];
		now.state[ Index(((P3 *)_this)->r, 1) ] = 1;
#ifdef VAR_RANGES
		logval("state[server:r]", now.state[ Index(((int)((P3 *)_this)->r), 1) ]);
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 154: // STATE 256 - channel.pml:279 - [(!(mapped[slot]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][256] = 1;
		if (!( !(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 155: // STATE 257 - channel.pml:279 - [((((lock==7)&&attached[slot])&&(serving==slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][257] = 1;
		if (!((((((int)now.lock)==7)&&((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]))&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 156: // STATE 258 - channel.pml:279 - [mapped[slot] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][258] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("mapped[server:slot]", ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 157: // STATE 260 - channel.pml:279 - [(((lock==7)&&!((attached[slot]&&(serving==slot)))))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][260] = 1;
		if (!(((((int)now.lock)==7)&& !((((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 158: // STATE 267 - channel.pml:280 - [(mapped[slot])] (0:0:0 - 1)
		IfNotBlocked
		reached[3][267] = 1;
		if (!(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 159: // STATE 268 - channel.pml:280 - [element[done] = r] (0:0:1 - 1)
		IfNotBlocked
		reached[3][268] = 1;
		(trpt+1)->bup.oval = ((int)now.element[ Index(((int)((P3 *)_this)->done), 1) ]);
		now.element[ Index(((P3 *)_this)->done, 1) ] = ((int)((P3 *)_this)->r);
#ifdef VAR_RANGES
		logval("element[server:done]", ((int)now.element[ Index(((int)((P3 *)_this)->done), 1) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 160: // STATE 269 - channel.pml:280 - [done = (done+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[3][269] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->done);
		((P3 *)_this)->done = (((int)((P3 *)_this)->done)+1);
#ifdef VAR_RANGES
		logval("server:done", ((int)((P3 *)_this)->done));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 161: // STATE 270 - channel.pml:280 - [r = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][270] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->r);
		((P3 *)_this)->r = 0;
#ifdef VAR_RANGES
		logval("server:r", ((int)((P3 *)_this)->r));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 162: // STATE 273 - channel.pml:280 - [(!(mapped[slot]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][273] = 1;
		if (!( !(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 163: // STATE 274 - channel.pml:280 - [((((lock==7)&&attached[slot])&&(serving==slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][274] = 1;
		if (!((((((int)now.lock)==7)&&((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]))&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 164: // STATE 275 - channel.pml:280 - [mapped[slot] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][275] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("mapped[server:slot]", ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 165: // STATE 277 - channel.pml:280 - [(((lock==7)&&!((attached[slot]&&(serving==slot)))))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][277] = 1;
		if (!(((((int)now.lock)==7)&& !((((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 166: // STATE 284 - channel.pml:252 - [(mapped[slot])] (0:0:0 - 1)
		IfNotBlocked
		reached[3][284] = 1;
		if (!(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 167: // STATE 285 - channel.pml:252 - [used = done] (0:0:1 - 1)
		IfNotBlocked
		reached[3][285] = 1;
		(trpt+1)->bup.oval = ((int)now.used);
		now.used = ((int)((P3 *)_this)->done);
#ifdef VAR_RANGES
		logval("used", ((int)now.used));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 168: // STATE 288 - channel.pml:252 - [(!(mapped[slot]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][288] = 1;
		if (!( !(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 169: // STATE 289 - channel.pml:252 - [((((lock==7)&&attached[slot])&&(serving==slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][289] = 1;
		if (!((((((int)now.lock)==7)&&((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]))&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 170: // STATE 290 - channel.pml:252 - [mapped[slot] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][290] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("mapped[server:slot]", ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 171: // STATE 292 - channel.pml:252 - [(((lock==7)&&!((attached[slot]&&(serving==slot)))))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][292] = 1;
		if (!(((((int)now.lock)==7)&& !((((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 172: // STATE 299 - channel.pml:253 - [(mapped[slot])] (0:0:0 - 1)
		IfNotBlocked
		reached[3][299] = 1;
		if (!(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 173: // STATE 300 - channel.pml:253 - [recorded = done] (0:0:1 - 1)
		IfNotBlocked
		reached[3][300] = 1;
		(trpt+1)->bup.oval = ((int)now.recorded);
		now.recorded = ((int)((P3 *)_this)->done);
#ifdef VAR_RANGES
		logval("recorded", ((int)now.recorded));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 174: // STATE 303 - channel.pml:253 - [(!(mapped[slot]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][303] = 1;
		if (!( !(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 175: // STATE 304 - channel.pml:253 - [((((lock==7)&&attached[slot])&&(serving==slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][304] = 1;
		if (!((((((int)now.lock)==7)&&((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]))&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 176: // STATE 305 - channel.pml:253 - [mapped[slot] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][305] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("mapped[server:slot]", ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 177: // STATE 307 - channel.pml:253 - [(((lock==7)&&!((attached[slot]&&(serving==slot)))))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][307] = 1;
		if (!(((((int)now.lock)==7)&& !((((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 178: // STATE 314 - channel.pml:254 - [(mapped[slot])] (0:0:0 - 1)
		IfNotBlocked
		reached[3][314] = 1;
		if (!(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 179: // STATE 315 - channel.pml:254 - [i = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][315] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->i);
		((P3 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("server:i", ((int)((P3 *)_this)->i));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 180: // STATE 316 - channel.pml:254 - [((i<1))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][316] = 1;
		if (!((((int)((P3 *)_this)->i)<1)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 181: // STATE 317 - channel.pml:254 - [(((state[i]==DONE)&&(position[i]<done)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][317] = 1;
		if (!(((now.state[ Index(((int)((P3 *)_this)->i), 1) ]==1)&&(((int)now.position[ Index(((int)((P3 *)_this)->i), 1) ])<((int)((P3 *)_this)->done)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 182: // STATE 318 - channel.pml:254 - [state[i] = FREE] (0:0:1 - 1)
		IfNotBlocked
		reached[3][318] = 1;
		(trpt+1)->bup.oval = now.state[ Index(((int)((P3 *)_this)->i), 1) ];
		now.state[ Index(((P3 *)_this)->i, 1) ] = 3;
#ifdef VAR_RANGES
		logval("state[server:i]", now.state[ Index(((int)((P3 *)_this)->i), 1) ]);
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 183: // STATE 322 - channel.pml:254 - [i = (i+1)] (0:0:1 - 3)
		IfNotBlocked
		reached[3][322] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->i);
		((P3 *)_this)->i = (((int)((P3 *)_this)->i)+1);
#ifdef VAR_RANGES
		logval("server:i", ((int)((P3 *)_this)->i));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 184: // STATE 324 - channel.pml:254 - [i = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][324] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->i);
		((P3 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("server:i", ((int)((P3 *)_this)->i));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 185: // STATE 331 - channel.pml:254 - [(!(mapped[slot]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][331] = 1;
		if (!( !(((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 186: // STATE 332 - channel.pml:254 - [((((lock==7)&&attached[slot])&&(serving==slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][332] = 1;
		if (!((((((int)now.lock)==7)&&((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]))&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 187: // STATE 333 - channel.pml:254 - [mapped[slot] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][333] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("mapped[server:slot]", ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 188: // STATE 335 - channel.pml:254 - [(((lock==7)&&!((attached[slot]&&(serving==slot)))))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][335] = 1;
		if (!(((((int)now.lock)==7)&& !((((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 189: // STATE 342 - channel.pml:169 - [((attached[slot]&&(serving==slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][342] = 1;
		if (!((((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 190: // STATE 343 - channel.pml:169 - [interrupt = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][343] = 1;
		(trpt+1)->bup.oval = ((int)now.interrupt);
		now.interrupt = 1;
#ifdef VAR_RANGES
		logval("interrupt", ((int)now.interrupt));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 191: // STATE 351 - channel.pml:382 - [((!(attached[slot])||(serving!=slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][351] = 1;
		if (!(( !(((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]))||(((int)now.serving)!=((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 192: // STATE 356 - channel.pml:387 - [(((io_of[0]==slot)&&io_over[0]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][356] = 1;
		if (!(((((int)now.io_of[0])==((int)((P3 *)_this)->slot))&&((int)now.io_over[0]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 193: // STATE 357 - channel.pml:389 - [(((io_of[0]==slot)&&io_over[0]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][357] = 1;
		if (!(((((int)now.io_of[0])==((int)((P3 *)_this)->slot))&&((int)now.io_over[0]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 194: // STATE 358 - channel.pml:389 - [io_of[0] = 7] (0:0:1 - 1)
		IfNotBlocked
		reached[3][358] = 1;
		(trpt+1)->bup.oval = ((int)now.io_of[0]);
		now.io_of[0] = 7;
#ifdef VAR_RANGES
		logval("io_of[0]", ((int)now.io_of[0]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 195: // STATE 359 - channel.pml:389 - [io_over[0] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][359] = 1;
		(trpt+1)->bup.oval = ((int)now.io_over[0]);
		now.io_over[0] = 0;
#ifdef VAR_RANGES
		logval("io_over[0]", ((int)now.io_over[0]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 196: // STATE 363 - channel.pml:394 - [(!((io_of[0]==slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][363] = 1;
		if (!( !((((int)now.io_of[0])==((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 197: // STATE 368 - channel.pml:398 - [((fence==slot))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][368] = 1;
		if (!((((int)now.fence)==((int)((P3 *)_this)->slot))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 198: // STATE 369 - channel.pml:398 - [fence = 7] (0:0:1 - 1)
		IfNotBlocked
		reached[3][369] = 1;
		(trpt+1)->bup.oval = ((int)now.fence);
		now.fence = 7;
#ifdef VAR_RANGES
		logval("fence", ((int)now.fence));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 199: // STATE 374 - channel.pml:403 - [(!(attached[slot]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][374] = 1;
		if (!( !(((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 200: // STATE 375 - channel.pml:404 - [(attached[slot])] (0:0:0 - 1)
		IfNotBlocked
		reached[3][375] = 1;
		if (!(((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 201: // STATE 376 - channel.pml:59 - [((lock==7))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][376] = 1;
		if (!((((int)now.lock)==7)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 202: // STATE 377 - channel.pml:59 - [lock = slot] (0:0:1 - 1)
		IfNotBlocked
		reached[3][377] = 1;
		(trpt+1)->bup.oval = ((int)now.lock);
		now.lock = ((int)((P3 *)_this)->slot);
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 203: // STATE 380 - channel.pml:95 - [(!(attached[slot]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][380] = 1;
		if (!( !(((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 204: // STATE 381 - channel.pml:95 - [lock = 7] (0:0:1 - 1)
		IfNotBlocked
		reached[3][381] = 1;
		(trpt+1)->bup.oval = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 205: // STATE 383 - channel.pml:96 - [((attached[slot]&&(serving!=slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][383] = 1;
		if (!((((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])&&(((int)now.serving)!=((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 206: // STATE 384 - channel.pml:80 - [attached[slot] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][384] = 1;
		(trpt+1)->bup.oval = ((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.attached[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("attached[server:slot]", ((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 207: // STATE 385 - channel.pml:81 - [sink[slot] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][385] = 1;
		(trpt+1)->bup.oval = ((int)now.sink[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.sink[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("sink[server:slot]", ((int)now.sink[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 208: // STATE 386 - channel.pml:83 - [((serving==slot))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][386] = 1;
		if (!((((int)now.serving)==((int)((P3 *)_this)->slot))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 209: // STATE 387 - channel.pml:83 - [serving = 7] (0:0:1 - 1)
		IfNotBlocked
		reached[3][387] = 1;
		(trpt+1)->bup.oval = ((int)now.serving);
		now.serving = 7;
#ifdef VAR_RANGES
		logval("serving", ((int)now.serving));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 210: // STATE 392 - channel.pml:87 - [mapped[slot] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][392] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("mapped[server:slot]", ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 211: // STATE 394 - channel.pml:98 - [news[slot] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][394] = 1;
		(trpt+1)->bup.oval = ((int)now.news[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.news[ Index(((P3 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("news[server:slot]", ((int)now.news[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 212: // STATE 395 - channel.pml:98 - [lock = 7] (0:0:1 - 1)
		IfNotBlocked
		reached[3][395] = 1;
		(trpt+1)->bup.oval = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 213: // STATE 397 - channel.pml:99 - [((attached[slot]&&(serving==slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][397] = 1;
		if (!((((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 214: // STATE 398 - channel.pml:80 - [attached[slot] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][398] = 1;
		(trpt+1)->bup.oval = ((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.attached[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("attached[server:slot]", ((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 215: // STATE 399 - channel.pml:81 - [sink[slot] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][399] = 1;
		(trpt+1)->bup.oval = ((int)now.sink[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.sink[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("sink[server:slot]", ((int)now.sink[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 216: // STATE 400 - channel.pml:83 - [((serving==slot))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][400] = 1;
		if (!((((int)now.serving)==((int)((P3 *)_this)->slot))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 217: // STATE 401 - channel.pml:83 - [serving = 7] (0:0:1 - 1)
		IfNotBlocked
		reached[3][401] = 1;
		(trpt+1)->bup.oval = ((int)now.serving);
		now.serving = 7;
#ifdef VAR_RANGES
		logval("serving", ((int)now.serving));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 218: // STATE 406 - channel.pml:87 - [mapped[slot] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][406] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("mapped[server:slot]", ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 219: // STATE 408 - channel.pml:103 - [(attached[(1-slot)])] (0:0:0 - 1)
		IfNotBlocked
		reached[3][408] = 1;
		if (!(((int)now.attached[ Index((1-((int)((P3 *)_this)->slot)), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 220: // STATE 409 - channel.pml:64 - [assert((!(mapped[0])||((1-slot)==0)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][409] = 1;
		spin_assert(( !(((int)now.mapped[0]))||((1-((int)((P3 *)_this)->slot))==0)), "( !(mapped[0])||((1-slot)==0))", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 221: // STATE 410 - channel.pml:65 - [assert((!(mapped[1])||((1-slot)==1)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][410] = 1;
		spin_assert(( !(((int)now.mapped[1]))||((1-((int)((P3 *)_this)->slot))==1)), "( !(mapped[1])||((1-slot)==1))", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 222: // STATE 411 - channel.pml:66 - [serving = (1-slot)] (0:0:1 - 1)
		IfNotBlocked
		reached[3][411] = 1;
		(trpt+1)->bup.oval = ((int)now.serving);
		now.serving = (1-((int)((P3 *)_this)->slot));
#ifdef VAR_RANGES
		logval("serving", ((int)now.serving));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 223: // STATE 412 - channel.pml:69 - [((((1-slot)!=7)&&sink[(1-slot)]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][412] = 1;
		if (!((((1-((int)((P3 *)_this)->slot))!=7)&&((int)now.sink[ Index((1-((int)((P3 *)_this)->slot)), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 224: // STATE 413 - channel.pml:69 - [signalled[(1-slot)] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][413] = 1;
		(trpt+1)->bup.oval = ((int)now.signalled[ Index((1-((int)((P3 *)_this)->slot)), 2) ]);
		now.signalled[ Index((1-((P3 *)_this)->slot), 2) ] = 1;
#ifdef VAR_RANGES
		logval("signalled[(1-server:slot)]", ((int)now.signalled[ Index((1-((int)((P3 *)_this)->slot)), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 225: // STATE 417 - channel.pml:73 - [news[0] = 1] (0:0:1 - 3)
		IfNotBlocked
		reached[3][417] = 1;
		(trpt+1)->bup.oval = ((int)now.news[0]);
		now.news[0] = 1;
#ifdef VAR_RANGES
		logval("news[0]", ((int)now.news[0]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 226: // STATE 418 - channel.pml:73 - [news[1] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][418] = 1;
		(trpt+1)->bup.oval = ((int)now.news[1]);
		now.news[1] = 1;
#ifdef VAR_RANGES
		logval("news[1]", ((int)now.news[1]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 227: // STATE 421 - channel.pml:64 - [assert((!(mapped[0])||(7==0)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][421] = 1;
		spin_assert(( !(((int)now.mapped[0]))||(7==0)), "( !(mapped[0])||(7==0))", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 228: // STATE 422 - channel.pml:65 - [assert((!(mapped[1])||(7==1)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][422] = 1;
		spin_assert(( !(((int)now.mapped[1]))||(7==1)), "( !(mapped[1])||(7==1))", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 229: // STATE 423 - channel.pml:66 - [serving = 7] (0:0:1 - 1)
		IfNotBlocked
		reached[3][423] = 1;
		(trpt+1)->bup.oval = ((int)now.serving);
		now.serving = 7;
#ifdef VAR_RANGES
		logval("serving", ((int)now.serving));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 230: // STATE 424 - channel.pml:69 - [(((7!=7)&&sink[7]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][424] = 1;
		if (!(((7!=7)&&((int)now.sink[ Index(7, 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 231: // STATE 425 - channel.pml:69 - [signalled[7] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][425] = 1;
		(trpt+1)->bup.oval = ((int)now.signalled[ Index(7, 2) ]);
		now.signalled[ Index(7, 2) ] = 1;
#ifdef VAR_RANGES
		logval("signalled[7]", ((int)now.signalled[ Index(7, 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 232: // STATE 429 - channel.pml:73 - [news[0] = 1] (0:0:1 - 3)
		IfNotBlocked
		reached[3][429] = 1;
		(trpt+1)->bup.oval = ((int)now.news[0]);
		now.news[0] = 1;
#ifdef VAR_RANGES
		logval("news[0]", ((int)now.news[0]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 233: // STATE 430 - channel.pml:73 - [news[1] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][430] = 1;
		(trpt+1)->bup.oval = ((int)now.news[1]);
		now.news[1] = 1;
#ifdef VAR_RANGES
		logval("news[1]", ((int)now.news[1]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 234: // STATE 434 - channel.pml:106 - [lock = 7] (0:0:1 - 1)
		IfNotBlocked
		reached[3][434] = 1;
		(trpt+1)->bup.oval = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 235: // STATE 445 - channel.pml:59 - [((lock==7))] (507:0:1 - 1)
		IfNotBlocked
		reached[3][445] = 1;
		if (!((((int)now.lock)==7)))
			continue;
		/* merge: lock = slot(0, 446, 507) */
		reached[3][446] = 1;
		(trpt+1)->bup.oval = ((int)now.lock);
		now.lock = ((int)((P3 *)_this)->slot);
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 236: // STATE 449 - channel.pml:95 - [(!(attached[slot]))] (508:0:1 - 1)
		IfNotBlocked
		reached[3][449] = 1;
		if (!( !(((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]))))
			continue;
		/* merge: lock = 7(0, 450, 508) */
		reached[3][450] = 1;
		(trpt+1)->bup.oval = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		/* merge: .(goto)(0, 506, 508) */
		reached[3][506] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 237: // STATE 452 - channel.pml:96 - [((attached[slot]&&(serving!=slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][452] = 1;
		if (!((((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])&&(((int)now.serving)!=((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 238: // STATE 453 - channel.pml:80 - [attached[slot] = 0] (0:458:2 - 1)
		IfNotBlocked
		reached[3][453] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.attached[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("attached[server:slot]", ((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		/* merge: sink[slot] = 0(458, 454, 458) */
		reached[3][454] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.sink[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.sink[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("sink[server:slot]", ((int)now.sink[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 239: // STATE 455 - channel.pml:83 - [((serving==slot))] (461:0:1 - 1)
		IfNotBlocked
		reached[3][455] = 1;
		if (!((((int)now.serving)==((int)((P3 *)_this)->slot))))
			continue;
		/* merge: serving = 7(461, 456, 461) */
		reached[3][456] = 1;
		(trpt+1)->bup.oval = ((int)now.serving);
		now.serving = 7;
#ifdef VAR_RANGES
		logval("serving", ((int)now.serving));
#endif
		;
		/* merge: .(goto)(461, 459, 461) */
		reached[3][459] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 240: // STATE 459 - channel.pml:85 - [.(goto)] (0:461:0 - 2)
		IfNotBlocked
		reached[3][459] = 1;
		;
		_m = 3; goto P999; /* 0 */
	case 241: // STATE 461 - channel.pml:87 - [mapped[slot] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][461] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("mapped[server:slot]", ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 242: // STATE 463 - channel.pml:98 - [news[slot] = 1] (0:508:2 - 1)
		IfNotBlocked
		reached[3][463] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.news[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.news[ Index(((P3 *)_this)->slot, 2) ] = 1;
#ifdef VAR_RANGES
		logval("news[server:slot]", ((int)now.news[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		/* merge: lock = 7(508, 464, 508) */
		reached[3][464] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		/* merge: .(goto)(0, 506, 508) */
		reached[3][506] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 243: // STATE 466 - channel.pml:99 - [((attached[slot]&&(serving==slot)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][466] = 1;
		if (!((((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ])&&(((int)now.serving)==((int)((P3 *)_this)->slot)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 244: // STATE 467 - channel.pml:80 - [attached[slot] = 0] (0:472:2 - 1)
		IfNotBlocked
		reached[3][467] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.attached[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("attached[server:slot]", ((int)now.attached[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		/* merge: sink[slot] = 0(472, 468, 472) */
		reached[3][468] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.sink[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.sink[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("sink[server:slot]", ((int)now.sink[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 245: // STATE 469 - channel.pml:83 - [((serving==slot))] (475:0:1 - 1)
		IfNotBlocked
		reached[3][469] = 1;
		if (!((((int)now.serving)==((int)((P3 *)_this)->slot))))
			continue;
		/* merge: serving = 7(475, 470, 475) */
		reached[3][470] = 1;
		(trpt+1)->bup.oval = ((int)now.serving);
		now.serving = 7;
#ifdef VAR_RANGES
		logval("serving", ((int)now.serving));
#endif
		;
		/* merge: .(goto)(475, 473, 475) */
		reached[3][473] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 246: // STATE 473 - channel.pml:85 - [.(goto)] (0:475:0 - 2)
		IfNotBlocked
		reached[3][473] = 1;
		;
		_m = 3; goto P999; /* 0 */
	case 247: // STATE 475 - channel.pml:87 - [mapped[slot] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[3][475] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("mapped[server:slot]", ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 248: // STATE 477 - channel.pml:103 - [(attached[(1-slot)])] (0:0:0 - 1)
		IfNotBlocked
		reached[3][477] = 1;
		if (!(((int)now.attached[ Index((1-((int)((P3 *)_this)->slot)), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 249: // STATE 478 - channel.pml:64 - [assert((!(mapped[0])||((1-slot)==0)))] (0:484:1 - 1)
		IfNotBlocked
		reached[3][478] = 1;
		spin_assert(( !(((int)now.mapped[0]))||((1-((int)((P3 *)_this)->slot))==0)), "( !(mapped[0])||((1-slot)==0))", II, tt, t);
		/* merge: assert((!(mapped[1])||((1-slot)==1)))(484, 479, 484) */
		reached[3][479] = 1;
		spin_assert(( !(((int)now.mapped[1]))||((1-((int)((P3 *)_this)->slot))==1)), "( !(mapped[1])||((1-slot)==1))", II, tt, t);
		/* merge: serving = (1-slot)(484, 480, 484) */
		reached[3][480] = 1;
		(trpt+1)->bup.oval = ((int)now.serving);
		now.serving = (1-((int)((P3 *)_this)->slot));
#ifdef VAR_RANGES
		logval("serving", ((int)now.serving));
#endif
		;
		_m = 3; goto P999; /* 2 */
	case 250: // STATE 481 - channel.pml:69 - [((((1-slot)!=7)&&sink[(1-slot)]))] (508:0:4 - 1)
		IfNotBlocked
		reached[3][481] = 1;
		if (!((((1-((int)((P3 *)_this)->slot))!=7)&&((int)now.sink[ Index((1-((int)((P3 *)_this)->slot)), 2) ]))))
			continue;
		/* merge: signalled[(1-slot)] = 1(508, 482, 508) */
		reached[3][482] = 1;
		(trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((int)now.signalled[ Index((1-((int)((P3 *)_this)->slot)), 2) ]);
		now.signalled[ Index((1-((P3 *)_this)->slot), 2) ] = 1;
#ifdef VAR_RANGES
		logval("signalled[(1-server:slot)]", ((int)now.signalled[ Index((1-((int)((P3 *)_this)->slot)), 2) ]));
#endif
		;
		/* merge: .(goto)(508, 485, 508) */
		reached[3][485] = 1;
		;
		/* merge: news[0] = 1(508, 486, 508) */
		reached[3][486] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.news[0]);
		now.news[0] = 1;
#ifdef VAR_RANGES
		logval("news[0]", ((int)now.news[0]));
#endif
		;
		/* merge: news[1] = 1(508, 487, 508) */
		reached[3][487] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.news[1]);
		now.news[1] = 1;
#ifdef VAR_RANGES
		logval("news[1]", ((int)now.news[1]));
#endif
		;
		/* merge: .(goto)(508, 502, 508) */
		reached[3][502] = 1;
		;
		/* merge: lock = 7(508, 503, 508) */
		reached[3][503] = 1;
		(trpt+1)->bup.ovals[3] = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		/* merge: .(goto)(0, 506, 508) */
		reached[3][506] = 1;
		;
		_m = 3; goto P999; /* 7 */
	case 251: // STATE 486 - channel.pml:73 - [news[0] = 1] (0:508:3 - 3)
		IfNotBlocked
		reached[3][486] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.news[0]);
		now.news[0] = 1;
#ifdef VAR_RANGES
		logval("news[0]", ((int)now.news[0]));
#endif
		;
		/* merge: news[1] = 1(508, 487, 508) */
		reached[3][487] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.news[1]);
		now.news[1] = 1;
#ifdef VAR_RANGES
		logval("news[1]", ((int)now.news[1]));
#endif
		;
		/* merge: .(goto)(508, 502, 508) */
		reached[3][502] = 1;
		;
		/* merge: lock = 7(508, 503, 508) */
		reached[3][503] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		/* merge: .(goto)(0, 506, 508) */
		reached[3][506] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 252: // STATE 502 - channel.pml:106 - [.(goto)] (0:508:1 - 2)
		IfNotBlocked
		reached[3][502] = 1;
		;
		/* merge: lock = 7(508, 503, 508) */
		reached[3][503] = 1;
		(trpt+1)->bup.oval = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		/* merge: .(goto)(0, 506, 508) */
		reached[3][506] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 253: // STATE 490 - channel.pml:64 - [assert((!(mapped[0])||(7==0)))] (0:496:1 - 1)
		IfNotBlocked
		reached[3][490] = 1;
		spin_assert(( !(((int)now.mapped[0]))||(7==0)), "( !(mapped[0])||(7==0))", II, tt, t);
		/* merge: assert((!(mapped[1])||(7==1)))(496, 491, 496) */
		reached[3][491] = 1;
		spin_assert(( !(((int)now.mapped[1]))||(7==1)), "( !(mapped[1])||(7==1))", II, tt, t);
		/* merge: serving = 7(496, 492, 496) */
		reached[3][492] = 1;
		(trpt+1)->bup.oval = ((int)now.serving);
		now.serving = 7;
#ifdef VAR_RANGES
		logval("serving", ((int)now.serving));
#endif
		;
		_m = 3; goto P999; /* 2 */
	case 254: // STATE 493 - channel.pml:69 - [(((7!=7)&&sink[7]))] (508:0:4 - 1)
		IfNotBlocked
		reached[3][493] = 1;
		if (!(((7!=7)&&((int)now.sink[ Index(7, 2) ]))))
			continue;
		/* merge: signalled[7] = 1(508, 494, 508) */
		reached[3][494] = 1;
		(trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((int)now.signalled[ Index(7, 2) ]);
		now.signalled[ Index(7, 2) ] = 1;
#ifdef VAR_RANGES
		logval("signalled[7]", ((int)now.signalled[ Index(7, 2) ]));
#endif
		;
		/* merge: .(goto)(508, 497, 508) */
		reached[3][497] = 1;
		;
		/* merge: news[0] = 1(508, 498, 508) */
		reached[3][498] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.news[0]);
		now.news[0] = 1;
#ifdef VAR_RANGES
		logval("news[0]", ((int)now.news[0]));
#endif
		;
		/* merge: news[1] = 1(508, 499, 508) */
		reached[3][499] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.news[1]);
		now.news[1] = 1;
#ifdef VAR_RANGES
		logval("news[1]", ((int)now.news[1]));
#endif
		;
		/* merge: .(goto)(508, 502, 508) */
		reached[3][502] = 1;
		;
		/* merge: lock = 7(508, 503, 508) */
		reached[3][503] = 1;
		(trpt+1)->bup.ovals[3] = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		/* merge: .(goto)(0, 506, 508) */
		reached[3][506] = 1;
		;
		_m = 3; goto P999; /* 7 */
	case 255: // STATE 498 - channel.pml:73 - [news[0] = 1] (0:508:3 - 3)
		IfNotBlocked
		reached[3][498] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.news[0]);
		now.news[0] = 1;
#ifdef VAR_RANGES
		logval("news[0]", ((int)now.news[0]));
#endif
		;
		/* merge: news[1] = 1(508, 499, 508) */
		reached[3][499] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.news[1]);
		now.news[1] = 1;
#ifdef VAR_RANGES
		logval("news[1]", ((int)now.news[1]));
#endif
		;
		/* merge: .(goto)(508, 502, 508) */
		reached[3][502] = 1;
		;
		/* merge: lock = 7(508, 503, 508) */
		reached[3][503] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.lock);
		now.lock = 7;
#ifdef VAR_RANGES
		logval("lock", ((int)now.lock));
#endif
		;
		/* merge: .(goto)(0, 506, 508) */
		reached[3][506] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 256: // STATE 508 - channel.pml:412 - [mapped[slot] = 0] (0:0:1 - 4)
		IfNotBlocked
		reached[3][508] = 1;
		(trpt+1)->bup.oval = ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.mapped[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("mapped[server:slot]", ((int)now.mapped[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 257: // STATE 509 - channel.pml:419 - [(((io_of[0]==slot)&&io_over[0]))] (518:0:2 - 1)
		IfNotBlocked
		reached[3][509] = 1;
		if (!(((((int)now.io_of[0])==((int)((P3 *)_this)->slot))&&((int)now.io_over[0]))))
			continue;
		/* merge: io_of[0] = 7(518, 510, 518) */
		reached[3][510] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.io_of[0]);
		now.io_of[0] = 7;
#ifdef VAR_RANGES
		logval("io_of[0]", ((int)now.io_of[0]));
#endif
		;
		/* merge: io_over[0] = 0(518, 511, 518) */
		reached[3][511] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.io_over[0]);
		now.io_over[0] = 0;
#ifdef VAR_RANGES
		logval("io_over[0]", ((int)now.io_over[0]));
#endif
		;
		/* merge: .(goto)(0, 514, 518) */
		reached[3][514] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 258: // STATE 515 - channel.pml:429 - [((fence==slot))] (528:0:8 - 1)
		IfNotBlocked
		reached[3][515] = 1;
		if (!((((int)now.fence)==((int)((P3 *)_this)->slot))))
			continue;
		/* merge: fence = 7(528, 516, 528) */
		reached[3][516] = 1;
		(trpt+1)->bup.ovals = grab_ints(8);
		(trpt+1)->bup.ovals[0] = ((int)now.fence);
		now.fence = 7;
#ifdef VAR_RANGES
		logval("fence", ((int)now.fence));
#endif
		;
		/* merge: .(goto)(528, 519, 528) */
		reached[3][519] = 1;
		;
		/* merge: dying[slot] = 0(528, 520, 528) */
		reached[3][520] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.dying[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.dying[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("dying[server:slot]", ((int)now.dying[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		/* merge: signalled[slot] = 0(528, 521, 528) */
		reached[3][521] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.signalled[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.signalled[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("signalled[server:slot]", ((int)now.signalled[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		/* merge: news[slot] = 0(528, 522, 528) */
		reached[3][522] = 1;
		(trpt+1)->bup.ovals[3] = ((int)now.news[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.news[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("news[server:slot]", ((int)now.news[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		/* merge: done = 0(528, 523, 528) */
		reached[3][523] = 1;
		(trpt+1)->bup.ovals[4] = ((int)((P3 *)_this)->done);
		((P3 *)_this)->done = 0;
#ifdef VAR_RANGES
		logval("server:done", ((int)((P3 *)_this)->done));
#endif
		;
		/* merge: taken = 0(528, 524, 528) */
		reached[3][524] = 1;
		(trpt+1)->bup.ovals[5] = ((int)((P3 *)_this)->taken);
		((P3 *)_this)->taken = 0;
#ifdef VAR_RANGES
		logval("server:taken", ((int)((P3 *)_this)->taken));
#endif
		;
		/* merge: i = 0(528, 525, 528) */
		reached[3][525] = 1;
		(trpt+1)->bup.ovals[6] = ((int)((P3 *)_this)->i);
		((P3 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("server:i", ((int)((P3 *)_this)->i));
#endif
		;
		/* merge: r = 0(528, 526, 528) */
		reached[3][526] = 1;
		(trpt+1)->bup.ovals[7] = ((int)((P3 *)_this)->r);
		((P3 *)_this)->r = 0;
#ifdef VAR_RANGES
		logval("server:r", ((int)((P3 *)_this)->r));
#endif
		;
		/* merge: .(goto)(0, 529, 528) */
		reached[3][529] = 1;
		;
		_m = 3; goto P999; /* 10 */
	case 259: // STATE 520 - channel.pml:432 - [dying[slot] = 0] (0:528:7 - 3)
		IfNotBlocked
		reached[3][520] = 1;
		(trpt+1)->bup.ovals = grab_ints(7);
		(trpt+1)->bup.ovals[0] = ((int)now.dying[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.dying[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("dying[server:slot]", ((int)now.dying[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		/* merge: signalled[slot] = 0(528, 521, 528) */
		reached[3][521] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.signalled[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.signalled[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("signalled[server:slot]", ((int)now.signalled[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		/* merge: news[slot] = 0(528, 522, 528) */
		reached[3][522] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.news[ Index(((int)((P3 *)_this)->slot), 2) ]);
		now.news[ Index(((P3 *)_this)->slot, 2) ] = 0;
#ifdef VAR_RANGES
		logval("news[server:slot]", ((int)now.news[ Index(((int)((P3 *)_this)->slot), 2) ]));
#endif
		;
		/* merge: done = 0(528, 523, 528) */
		reached[3][523] = 1;
		(trpt+1)->bup.ovals[3] = ((int)((P3 *)_this)->done);
		((P3 *)_this)->done = 0;
#ifdef VAR_RANGES
		logval("server:done", ((int)((P3 *)_this)->done));
#endif
		;
		/* merge: taken = 0(528, 524, 528) */
		reached[3][524] = 1;
		(trpt+1)->bup.ovals[4] = ((int)((P3 *)_this)->taken);
		((P3 *)_this)->taken = 0;
#ifdef VAR_RANGES
		logval("server:taken", ((int)((P3 *)_this)->taken));
#endif
		;
		/* merge: i = 0(528, 525, 528) */
		reached[3][525] = 1;
		(trpt+1)->bup.ovals[5] = ((int)((P3 *)_this)->i);
		((P3 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("server:i", ((int)((P3 *)_this)->i));
#endif
		;
		/* merge: r = 0(528, 526, 528) */
		reached[3][526] = 1;
		(trpt+1)->bup.ovals[6] = ((int)((P3 *)_this)->r);
		((P3 *)_this)->r = 0;
#ifdef VAR_RANGES
		logval("server:r", ((int)((P3 *)_this)->r));
#endif
		;
		/* merge: .(goto)(0, 529, 528) */
		reached[3][529] = 1;
		;
		_m = 3; goto P999; /* 7 */
	case 260: // STATE 531 - channel.pml:435 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[3][531] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */

		 /* PROC disk */
	case 261: // STATE 1 - channel.pml:222 - [(((io_of[0]!=7)&&!(io_over[0])))] (7:0:2 - 1)
		IfNotBlocked
		reached[2][1] = 1;
		if (!(((((int)now.io_of[0])!=7)&& !(((int)now.io_over[0])))))
			continue;
		/* merge: assert(((fence==io_of[0])&&!(complete[0])))(7, 2, 7) */
		reached[2][2] = 1;
		spin_assert(((((int)now.fence)==((int)now.io_of[0]))&& !(((int)now.complete[0]))), "((fence==io_of[0])&& !(complete[0]))", II, tt, t);
		/* merge: executed[0] = 1(7, 3, 7) */
		reached[2][3] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.executed[0]);
		now.executed[0] = 1;
#ifdef VAR_RANGES
		logval("executed[0]", ((int)now.executed[0]));
#endif
		;
		/* merge: io_over[0] = 1(7, 4, 7) */
		reached[2][4] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.io_over[0]);
		now.io_over[0] = 1;
#ifdef VAR_RANGES
		logval("io_over[0]", ((int)now.io_over[0]));
#endif
		;
		/* merge: .(goto)(0, 8, 7) */
		reached[2][8] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 262: // STATE 10 - channel.pml:237 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[2][10] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */

		 /* PROC guest */
	case 263: // STATE 1 - channel.pml:194 - [((available<1))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][1] = 1;
		if (!((((int)now.available)<1)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 264: // STATE 2 - channel.pml:195 - [available = (available+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][2] = 1;
		(trpt+1)->bup.oval = ((int)now.available);
		now.available = (((int)now.available)+1);
#ifdef VAR_RANGES
		logval("available", ((int)now.available));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 265: // STATE 3 - channel.pml:198 - [(!(quiet))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][3] = 1;
		if (!( !(((int)now.quiet))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 266: // STATE 4 - channel.pml:198 - [work = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[1][4] = 1;
		(trpt+1)->bup.oval = ((int)now.work);
		now.work = 1;
#ifdef VAR_RANGES
		logval("work", ((int)now.work));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 267: // STATE 5 - channel.pml:199 - [(quiet)] (0:0:0 - 1)
		IfNotBlocked
		reached[1][5] = 1;
		if (!(((int)now.quiet)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 268: // STATE 8 - channel.pml:201 - [((available==1))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][8] = 1;
		if (!((((int)now.available)==1)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 269: // STATE 13 - channel.pml:204 - [((seen<1))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][13] = 1;
		if (!((((int)((P1 *)_this)->seen)<1)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 270: // STATE 14 - channel.pml:205 - [(interrupt)] (28:0:1 - 1)
		IfNotBlocked
		reached[1][14] = 1;
		if (!(((int)now.interrupt)))
			continue;
		/* merge: interrupt = 0(0, 15, 28) */
		reached[1][15] = 1;
		(trpt+1)->bup.oval = ((int)now.interrupt);
		now.interrupt = 0;
#ifdef VAR_RANGES
		logval("interrupt", ((int)now.interrupt));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 271: // STATE 17 - channel.pml:208 - [((seen<used))] (25:0:3 - 1)
		IfNotBlocked
		reached[1][17] = 1;
		if (!((((int)((P1 *)_this)->seen)<((int)now.used))))
			continue;
		/* merge: head = element[seen](25, 18, 25) */
		reached[1][18] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->head);
		((P1 *)_this)->head = ((int)now.element[ Index(((int)((P1 *)_this)->seen), 1) ]);
#ifdef VAR_RANGES
		logval("guest:head", ((int)((P1 *)_this)->head));
#endif
		;
		/* merge: assert((((head<1)&&executed[head])&&!(complete[head])))(25, 19, 25) */
		reached[1][19] = 1;
		spin_assert((((((int)((P1 *)_this)->head)<1)&&((int)now.executed[ Index(((int)((P1 *)_this)->head), 1) ]))&& !(((int)now.complete[ Index(((int)((P1 *)_this)->head), 1) ]))), "(((head<1)&&executed[head])&& !(complete[head]))", II, tt, t);
		/* merge: complete[head] = 1(25, 20, 25) */
		reached[1][20] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.complete[ Index(((int)((P1 *)_this)->head), 1) ]);
		now.complete[ Index(((P1 *)_this)->head, 1) ] = 1;
#ifdef VAR_RANGES
		logval("complete[guest:head]", ((int)now.complete[ Index(((int)((P1 *)_this)->head), 1) ]));
#endif
		;
		/* merge: seen = (seen+1)(25, 21, 25) */
		reached[1][21] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->seen);
		((P1 *)_this)->seen = (((int)((P1 *)_this)->seen)+1);
#ifdef VAR_RANGES
		logval("guest:seen", ((int)((P1 *)_this)->seen));
#endif
		;
		/* merge: .(goto)(0, 26, 25) */
		reached[1][26] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 272: // STATE 23 - channel.pml:213 - [head = 0] (0:27:1 - 1)
		IfNotBlocked
		reached[1][23] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->head);
		((P1 *)_this)->head = 0;
#ifdef VAR_RANGES
		logval("guest:head", ((int)((P1 *)_this)->head));
#endif
		;
		/* merge: goto :b3(27, 24, 27) */
		reached[1][24] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 273: // STATE 29 - channel.pml:215 - [((seen==1))] (0:0:1 - 1)
		IfNotBlocked
		reached[1][29] = 1;
		if (!((((int)((P1 *)_this)->seen)==1)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: seen */  (trpt+1)->bup.oval = ((P1 *)_this)->seen;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->seen = 0;
		_m = 3; goto P999; /* 0 */
	case 274: // STATE 34 - channel.pml:217 - [-end-] (0:0:0 - 3)
		IfNotBlocked
		reached[1][34] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */

		 /* PROC source */
	case 275: // STATE 1 - channel.pml:180 - [(work)] (6:0:1 - 1)
		IfNotBlocked
		reached[0][1] = 1;
		if (!(((int)now.work)))
			continue;
		/* merge: work = 0(0, 2, 6) */
		reached[0][2] = 1;
		(trpt+1)->bup.oval = ((int)now.work);
		now.work = 0;
#ifdef VAR_RANGES
		logval("work", ((int)now.work));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 276: // STATE 3 - channel.pml:182 - [(((serving!=7)&&sink[serving]))] (9:0:1 - 1)
		IfNotBlocked
		reached[0][3] = 1;
		if (!(((((int)now.serving)!=7)&&((int)now.sink[ Index(((int)now.serving), 2) ]))))
			continue;
		/* merge: signalled[serving] = 1(9, 4, 9) */
		reached[0][4] = 1;
		(trpt+1)->bup.oval = ((int)now.signalled[ Index(((int)now.serving), 2) ]);
		now.signalled[ Index(now.serving, 2) ] = 1;
#ifdef VAR_RANGES
		logval("signalled[serving]", ((int)now.signalled[ Index(((int)now.serving), 2) ]));
#endif
		;
		/* merge: .(goto)(9, 7, 9) */
		reached[0][7] = 1;
		;
		/* merge: .(goto)(0, 10, 9) */
		reached[0][10] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 277: // STATE 7 - channel.pml:184 - [.(goto)] (0:9:0 - 2)
		IfNotBlocked
		reached[0][7] = 1;
		;
		/* merge: .(goto)(0, 10, 9) */
		reached[0][10] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 278: // STATE 12 - channel.pml:186 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[0][12] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */
	case  _T5:	/* np_ */
		if (!((!(trpt->o_pm&4) && !(trpt->tau&128))))
			continue;
		/* else fall through */
	case  _T2:	/* true */
		_m = 3; goto P999;
#undef rand
	}

