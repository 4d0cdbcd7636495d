#ifdef PEG
struct T_SRC {
	char *fl; int ln;
} T_SRC[NTRANS];

void
tr_2_src(int m, char *file, int ln)
{	T_SRC[m].fl = file;
	T_SRC[m].ln = ln;
}

void
putpeg(int n, int m)
{	printf("%5d	trans %4d ", m, n);
	printf("%s:%d\n",
		T_SRC[n].fl, T_SRC[n].ln);
}
#endif

void
settable(void)
{	Trans *T;
	Trans *settr(int, int, int, int, int, char *, int, int, int);

	trans = (Trans ***) emalloc(7*sizeof(Trans **));

	/* proctype 5: :init: */

	trans[5] = (Trans **) emalloc(5*sizeof(Trans *));

	T = trans[ 5][3] = settr(701,2,0,0,0,"ATOMIC", 0, 2, 0);
	T->nxt	= settr(701,2,1,0,0,"ATOMIC", 0, 2, 0);
	trans[5][1]	= settr(699,2,2,3,3,"(run server(0))", 0, 2, 0);
	trans[5][2]	= settr(700,0,4,4,4,"(run server(1))", 0, 2, 0);
	trans[5][4]	= settr(702,0,0,5,5,"-end-", 0, 3500, 0);

	/* proctype 4: control */

	trans[4] = (Trans **) emalloc(113*sizeof(Trans *));

	trans[4][110]	= settr(696,0,109,1,0,".(goto)", 0, 2, 0);
	T = trans[4][109] = settr(695,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(695,0,1,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(695,0,108,0,0,"DO", 0, 2, 0);
	trans[4][1]	= settr(587,0,7,6,0,"((n<1))", 0, 2, 0);
	T = trans[ 4][7] = settr(593,2,0,0,0,"ATOMIC", 0, 2, 0);
	T->nxt	= settr(593,2,2,0,0,"ATOMIC", 0, 2, 0);
	trans[4][2]	= settr(588,2,5,7,7,"n = (n+1)", 0, 2, 0);
	T = trans[4][5] = settr(591,2,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(591,2,3,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(591,2,4,0,0,"IF", 0, 2, 0);
	trans[4][3]	= settr(589,4,106,8,8,"slot = 0", 0, 2, 0); /* m: 6 -> 0,106 */
	reached4[6] = 1;
	trans[4][6]	= settr(592,0,106,9,9,".(goto)", 0, 2, 0);
	trans[4][4]	= settr(590,4,106,10,10,"slot = 1", 0, 2, 0); /* m: 6 -> 0,106 */
	reached4[6] = 1;
	T = trans[4][106] = settr(692,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(692,0,11,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(692,0,44,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(692,0,105,0,0,"IF", 0, 2, 0);
	T = trans[ 4][11] = settr(597,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(597,0,10,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 4][10] = settr(596,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(596,2,8,0,0,"ATOMIC", 1, 2, 0);
	trans[4][8]	= settr(594,4,39,11,11,"((lock==7))", 1, 2, 0); /* m: 9 -> 39,0 */
	reached4[9] = 1;
	trans[4][9]	= settr(0,0,0,0,0,"lock = (2+1)",0,0,0);
	T = trans[4][39] = settr(625,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(625,0,12,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(625,0,38,0,0,"IF", 0, 2, 0);
	trans[4][12]	= settr(598,0,22,12,0,"((attached[slot]&&(serving==(1-slot))))", 1, 2, 0);
	T = trans[ 4][22] = settr(608,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(608,0,20,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 4][20] = settr(606,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(606,2,13,0,0,"ATOMIC", 1, 2, 0);
	trans[4][13]	= settr(599,2,18,13,13,"attached[(1-slot)] = 0", 1, 2, 0); /* m: 14 -> 0,18 */
	reached4[14] = 1;
	trans[4][14]	= settr(0,0,0,0,0,"sink[(1-slot)] = 0",0,0,0);
	T = trans[4][18] = settr(604,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(604,2,15,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(604,2,17,0,0,"IF", 1, 2, 0);
	trans[4][15]	= settr(601,4,21,14,14,"((serving==(1-slot)))", 1, 2, 0); /* m: 16 -> 21,0 */
	reached4[16] = 1;
	trans[4][16]	= settr(0,0,0,0,0,"serving = 7",0,0,0);
	trans[4][19]	= settr(605,0,21,15,15,".(goto)", 1, 2, 0);
	trans[4][17]	= settr(603,2,19,2,0,"else", 1, 2, 0);
	trans[4][21]	= settr(607,0,35,16,16,"mapped[(1-slot)] = 0", 1, 2, 0);
	T = trans[ 4][35] = settr(621,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(621,2,33,0,0,"ATOMIC", 1, 2, 0);
	T = trans[ 4][33] = settr(619,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(619,0,23,0,0,"sub-sequence", 1, 2, 0);
	trans[4][23]	= settr(609,2,29,17,17,"assert((!(mapped[0])||(slot==0)))", 1, 2, 0); /* m: 24 -> 0,29 */
	reached4[24] = 1;
	trans[4][24]	= settr(0,0,0,0,0,"assert((!(mapped[1])||(slot==1)))",0,0,0);
	trans[4][25]	= settr(0,0,0,0,0,"serving = slot",0,0,0);
	T = trans[4][29] = settr(615,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(615,2,26,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(615,2,28,0,0,"IF", 1, 2, 0);
	trans[4][26]	= settr(612,0,109,18,18,"(((slot!=7)&&sink[slot]))", 1, 2, 0); /* m: 27 -> 109,0 */
	reached4[27] = 1;
	trans[4][27]	= settr(0,0,0,0,0,"signalled[slot] = 1",0,0,0);
	trans[4][30]	= settr(616,2,31,1,0,".(goto)", 1, 2, 0); /* m: 31 -> 0,109 */
	reached4[31] = 1;
	trans[4][28]	= settr(614,2,31,2,0,"else", 1, 2, 0);
	trans[4][31]	= settr(617,0,109,19,19,"news[0] = 1", 1, 2, 0); /* m: 32 -> 0,109 */
	reached4[32] = 1;
	trans[4][32]	= settr(0,0,0,0,0,"news[1] = 1",0,0,0);
	trans[4][34]	= settr(0,0,0,0,0,"lock = 7",0,0,0);
	trans[4][40]	= settr(626,0,109,1,0,".(goto)", 0, 2, 0);
	T = trans[ 4][38] = settr(624,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(624,2,36,0,0,"ATOMIC", 1, 2, 0);
	trans[4][36]	= settr(622,0,109,20,20,"(!((attached[slot]&&(serving==(1-slot)))))", 1, 2, 0); /* m: 37 -> 109,0 */
	reached4[37] = 1;
	trans[4][37]	= settr(0,0,0,0,0,"lock = 7",0,0,0);
	trans[4][107]	= settr(693,0,109,1,0,".(goto)", 0, 2, 0);
	T = trans[ 4][44] = settr(630,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(630,0,43,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 4][43] = settr(629,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(629,2,41,0,0,"ATOMIC", 1, 2, 0);
	trans[4][41]	= settr(627,4,103,21,21,"((lock==7))", 1, 2, 0); /* m: 42 -> 103,0 */
	reached4[42] = 1;
	trans[4][42]	= settr(0,0,0,0,0,"lock = (2+1)",0,0,0);
	T = trans[ 4][103] = settr(689,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(689,0,101,0,0,"sub-sequence", 0, 2, 0);
	T = trans[4][101] = settr(687,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(687,0,47,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(687,0,48,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(687,0,62,0,0,"IF", 0, 2, 0);
	T = trans[ 4][47] = settr(633,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(633,2,45,0,0,"ATOMIC", 1, 2, 0);
	trans[4][45]	= settr(631,0,104,22,22,"(!(attached[slot]))", 1, 2, 0); /* m: 46 -> 104,0 */
	reached4[46] = 1;
	trans[4][46]	= settr(0,0,0,0,0,"lock = 7",0,0,0);
	trans[4][102]	= settr(688,0,104,1,0,".(goto)", 0, 2, 0);
	trans[4][48]	= settr(634,0,58,23,0,"((attached[slot]&&(serving!=slot)))", 1, 2, 0);
	T = trans[ 4][58] = settr(644,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(644,0,56,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 4][56] = settr(642,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(642,2,49,0,0,"ATOMIC", 1, 2, 0);
	trans[4][49]	= settr(635,2,54,24,24,"attached[slot] = 0", 1, 2, 0); /* m: 50 -> 0,54 */
	reached4[50] = 1;
	trans[4][50]	= settr(0,0,0,0,0,"sink[slot] = 0",0,0,0);
	T = trans[4][54] = settr(640,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(640,2,51,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(640,2,53,0,0,"IF", 1, 2, 0);
	trans[4][51]	= settr(637,4,57,25,25,"((serving==slot))", 1, 2, 0); /* m: 52 -> 57,0 */
	reached4[52] = 1;
	trans[4][52]	= settr(0,0,0,0,0,"serving = 7",0,0,0);
	trans[4][55]	= settr(641,0,57,26,26,".(goto)", 1, 2, 0);
	trans[4][53]	= settr(639,2,55,2,0,"else", 1, 2, 0);
	trans[4][57]	= settr(643,0,61,27,27,"mapped[slot] = 0", 1, 2, 0);
	T = trans[ 4][61] = settr(647,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(647,2,59,0,0,"ATOMIC", 1, 2, 0);
	trans[4][59]	= settr(645,0,104,28,28,"news[slot] = 1", 1, 2, 0); /* m: 60 -> 0,104 */
	reached4[60] = 1;
	trans[4][60]	= settr(0,0,0,0,0,"lock = 7",0,0,0);
	trans[4][62]	= settr(648,0,72,29,0,"((attached[slot]&&(serving==slot)))", 1, 2, 0);
	T = trans[ 4][72] = settr(658,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(658,0,70,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 4][70] = settr(656,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(656,2,63,0,0,"ATOMIC", 1, 2, 0);
	trans[4][63]	= settr(649,2,68,30,30,"attached[slot] = 0", 1, 2, 0); /* m: 64 -> 0,68 */
	reached4[64] = 1;
	trans[4][64]	= settr(0,0,0,0,0,"sink[slot] = 0",0,0,0);
	T = trans[4][68] = settr(654,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(654,2,65,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(654,2,67,0,0,"IF", 1, 2, 0);
	trans[4][65]	= settr(651,4,71,31,31,"((serving==slot))", 1, 2, 0); /* m: 66 -> 71,0 */
	reached4[66] = 1;
	trans[4][66]	= settr(0,0,0,0,0,"serving = 7",0,0,0);
	trans[4][69]	= settr(655,0,71,32,32,".(goto)", 1, 2, 0);
	trans[4][67]	= settr(653,2,69,2,0,"else", 1, 2, 0);
	trans[4][71]	= settr(657,0,100,33,33,"mapped[slot] = 0", 1, 2, 0);
	T = trans[ 4][100] = settr(686,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(686,2,97,0,0,"ATOMIC", 1, 2, 0);
	T = trans[4][97] = settr(683,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(683,2,73,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(683,2,85,0,0,"IF", 1, 2, 0);
	trans[4][73]	= settr(659,2,84,34,0,"(attached[(1-slot)])", 1, 2, 0);
	T = trans[ 4][84] = settr(670,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(670,0,74,0,0,"sub-sequence", 1, 2, 0);
	trans[4][74]	= settr(660,2,80,35,35,"assert((!(mapped[0])||((1-slot)==0)))", 1, 2, 0); /* m: 75 -> 0,80 */
	reached4[75] = 1;
	trans[4][75]	= settr(0,0,0,0,0,"assert((!(mapped[1])||((1-slot)==1)))",0,0,0);
	trans[4][76]	= settr(0,0,0,0,0,"serving = (1-slot)",0,0,0);
	T = trans[4][80] = settr(666,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(666,2,77,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(666,2,79,0,0,"IF", 1, 2, 0);
	trans[4][77]	= settr(663,0,104,36,36,"((((1-slot)!=7)&&sink[(1-slot)]))", 1, 2, 0); /* m: 78 -> 104,0 */
	reached4[78] = 1;
	trans[4][78]	= settr(0,0,0,0,0,"signalled[(1-slot)] = 1",0,0,0);
	trans[4][81]	= settr(667,2,82,1,0,".(goto)", 1, 2, 0); /* m: 82 -> 0,104 */
	reached4[82] = 1;
	trans[4][79]	= settr(665,2,82,2,0,"else", 1, 2, 0);
	trans[4][82]	= settr(668,0,104,37,37,"news[0] = 1", 1, 2, 0); /* m: 83 -> 0,104 */
	reached4[83] = 1;
	trans[4][83]	= settr(0,0,0,0,0,"news[1] = 1",0,0,0);
	trans[4][98]	= settr(684,0,104,38,38,".(goto)", 1, 2, 0); /* m: 99 -> 0,104 */
	reached4[99] = 1;
	trans[4][85]	= settr(671,2,96,2,0,"else", 1, 2, 0);
	T = trans[ 4][96] = settr(682,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(682,0,86,0,0,"sub-sequence", 1, 2, 0);
	trans[4][86]	= settr(672,2,92,39,39,"assert((!(mapped[0])||(7==0)))", 1, 2, 0); /* m: 87 -> 0,92 */
	reached4[87] = 1;
	trans[4][87]	= settr(0,0,0,0,0,"assert((!(mapped[1])||(7==1)))",0,0,0);
	trans[4][88]	= settr(0,0,0,0,0,"serving = 7",0,0,0);
	T = trans[4][92] = settr(678,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(678,2,89,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(678,2,91,0,0,"IF", 1, 2, 0);
	trans[4][89]	= settr(675,0,104,40,40,"(((7!=7)&&sink[7]))", 1, 2, 0); /* m: 90 -> 104,0 */
	reached4[90] = 1;
	trans[4][90]	= settr(0,0,0,0,0,"signalled[7] = 1",0,0,0);
	trans[4][93]	= settr(679,2,94,1,0,".(goto)", 1, 2, 0); /* m: 94 -> 0,104 */
	reached4[94] = 1;
	trans[4][91]	= settr(677,2,94,2,0,"else", 1, 2, 0);
	trans[4][94]	= settr(680,0,104,41,41,"news[0] = 1", 1, 2, 0); /* m: 95 -> 0,104 */
	reached4[95] = 1;
	trans[4][95]	= settr(0,0,0,0,0,"news[1] = 1",0,0,0);
	trans[4][99]	= settr(0,0,0,0,0,"lock = 7",0,0,0);
	trans[4][104]	= settr(690,0,109,42,42,"news[slot] = 1", 1, 2, 0);
	trans[4][105]	= settr(691,0,109,43,43,"dying[slot] = 1", 1, 2, 0);
	trans[4][108]	= settr(694,0,112,1,0,"goto :b26", 0, 2, 0);
	trans[4][111]	= settr(697,0,112,1,0,"break", 0, 2, 0);
	trans[4][112]	= settr(698,0,0,44,44,"-end-", 0, 3500, 0);

	/* proctype 3: server */

	trans[3] = (Trans **) emalloc(532*sizeof(Trans *));

	trans[3][529]	= settr(584,0,528,1,0,".(goto)", 0, 2, 0);
	T = trans[3][528] = settr(583,0,0,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(583,0,1,0,0,"DO", 0, 2, 0);
	trans[3][1]	= settr(56,0,21,1,0,"(1)", 0, 2, 0);
	trans[3][1]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	trans[3][442]	= settr(497,0,448,45,0,"((dying[slot]&&(lock!=slot)))", 1, 2, 0);
	trans[3][444]	= settr(499,0,448,1,0,".(goto)", 0, 2, 0);
	/* end-escapes */
	T = trans[ 3][21] = settr(76,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(76,0,20,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 3][20] = settr(75,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(75,2,2,0,0,"ATOMIC", 1, 2, 0);
	trans[3][2]	= settr(57,2,3,46,0,"((lock==7))", 1, 2, 0);
	trans[3][2]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][3]	= settr(58,2,4,47,47,"attached[slot] = 1", 1, 2, 0);
	trans[3][3]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][4]	= settr(59,2,18,48,48,"news[slot] = 1", 1, 2, 0);
	trans[3][4]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][18] = settr(73,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(73,2,5,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(73,2,17,0,0,"IF", 1, 2, 0);
	trans[3][5]	= settr(60,2,16,49,0,"((serving==7))", 1, 2, 0);
	trans[3][5]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][16] = settr(71,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(71,0,6,0,0,"sub-sequence", 1, 2, 0);
	trans[3][6]	= settr(61,2,7,50,0,"assert((!(mapped[0])||(slot==0)))", 1, 2, 0);
	trans[3][6]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][7]	= settr(62,2,8,51,0,"assert((!(mapped[1])||(slot==1)))", 1, 2, 0);
	trans[3][7]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][8]	= settr(63,2,12,52,52,"serving = slot", 1, 2, 0);
	trans[3][8]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][12] = settr(67,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(67,2,9,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(67,2,11,0,0,"IF", 1, 2, 0);
	trans[3][9]	= settr(64,2,10,53,0,"(((slot!=7)&&sink[slot]))", 1, 2, 0);
	trans[3][9]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][10]	= settr(65,2,14,54,54,"signalled[slot] = 1", 1, 2, 0);
	trans[3][10]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][13]	= settr(68,2,14,1,0,".(goto)", 1, 2, 0);
	trans[3][11]	= settr(66,2,14,2,0,"else", 1, 2, 0);
	trans[3][11]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][14]	= settr(69,2,15,55,55,"news[0] = 1", 1, 2, 0);
	trans[3][14]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][15]	= settr(70,2,19,56,56,"news[1] = 1", 1, 2, 0);
	trans[3][15]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][19]	= settr(74,0,34,1,0,".(goto)", 1, 2, 0);
	trans[3][17]	= settr(72,2,19,2,0,"else", 1, 2, 0);
	trans[3][17]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][34] = settr(89,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(89,0,33,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 3][33] = settr(88,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(88,2,22,0,0,"ATOMIC", 1, 2, 0);
	trans[3][22]	= settr(77,2,31,57,0,"((lock==7))", 1, 2, 0);
	trans[3][22]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][31] = settr(86,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(86,2,23,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(86,2,30,0,0,"IF", 1, 2, 0);
	trans[3][23]	= settr(78,2,24,58,0,"(attached[slot])", 1, 2, 0);
	trans[3][23]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][24]	= settr(79,2,28,59,59,"sink[slot] = 1", 1, 2, 0);
	trans[3][24]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][28] = settr(83,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(83,2,25,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(83,2,27,0,0,"IF", 1, 2, 0);
	trans[3][25]	= settr(80,2,26,60,0,"((serving==slot))", 1, 2, 0);
	trans[3][25]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][26]	= settr(81,2,29,61,61,"signalled[slot] = 1", 1, 2, 0);
	trans[3][26]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][29]	= settr(84,2,32,1,0,".(goto)", 1, 2, 0);
	trans[3][27]	= settr(82,2,29,2,0,"else", 1, 2, 0);
	trans[3][27]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][32]	= settr(87,0,45,1,0,".(goto)", 1, 2, 0);
	trans[3][30]	= settr(85,2,32,2,0,"else", 1, 2, 0);
	trans[3][30]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][46]	= settr(101,0,45,1,0,".(goto)", 0, 2, 0);
	T = trans[3][45] = settr(100,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(100,0,35,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(100,0,37,0,0,"DO", 0, 2, 0);
	trans[3][35]	= settr(90,0,54,62,0,"(((serving==slot)&&attached[slot]))", 1, 2, 0);
	trans[3][35]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][36]	= settr(91,0,54,1,0,"goto :b6", 0, 2, 0);
	trans[3][36]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][37]	= settr(92,0,44,63,0,"(news[slot])", 1, 2, 0);
	trans[3][37]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][44] = settr(99,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(99,2,38,0,0,"ATOMIC", 1, 2, 0);
	trans[3][38]	= settr(93,2,42,64,64,"news[slot] = 0", 1, 2, 0);
	trans[3][38]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][42] = settr(97,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(97,2,39,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(97,2,41,0,0,"IF", 1, 2, 0);
	trans[3][39]	= settr(94,2,40,65,0,"(!(attached[slot]))", 1, 2, 0);
	trans[3][39]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][40]	= settr(95,0,365,1,0,"goto lost", 1, 2, 0);
	trans[3][40]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][43]	= settr(98,0,45,1,0,".(goto)", 1, 2, 0);
	trans[3][41]	= settr(96,2,43,2,0,"else", 1, 2, 0);
	trans[3][41]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][47]	= settr(102,0,54,1,0,"break", 0, 2, 0);
	trans[3][47]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][54] = settr(109,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(109,0,50,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(109,0,51,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(109,0,52,0,0,"IF", 0, 2, 0);
	T = trans[ 3][50] = settr(105,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(105,2,48,0,0,"ATOMIC", 1, 2, 0);
	trans[3][48]	= settr(103,2,49,66,0,"((fence==7))", 1, 2, 0);
	trans[3][48]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][49]	= settr(104,0,176,67,67,"fence = slot", 1, 2, 0);
	trans[3][49]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][55]	= settr(110,0,176,1,0,".(goto)", 0, 2, 0);
	trans[3][51]	= settr(106,0,176,68,0,"((fence==slot))", 1, 2, 0);
	trans[3][51]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][52]	= settr(107,0,365,69,0,"(((serving!=slot)||!(attached[slot])))", 1, 2, 0);
	trans[3][52]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][53]	= settr(108,0,365,1,0,"goto lost", 0, 2, 0);
	trans[3][53]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][176] = settr(231,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(231,0,89,0,0,"sub-sequence", 0, 2, 0);
	trans[3][90]	= settr(145,0,89,1,0,".(goto)", 0, 2, 0);
	T = trans[3][89] = settr(144,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(144,0,80,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(144,0,81,0,0,"DO", 0, 2, 0);
	T = trans[ 3][80] = settr(135,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(135,2,56,0,0,"ATOMIC", 1, 2, 0);
	trans[3][56]	= settr(111,2,57,70,0,"(mapped[slot])", 1, 2, 0);
	trans[3][56]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][57]	= settr(112,2,58,71,71,"done = recorded", 1, 2, 0);
	trans[3][57]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][58]	= settr(113,2,59,72,72,"taken = recorded", 1, 2, 0);
	trans[3][58]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][59]	= settr(114,2,76,73,73,"i = 0", 1, 2, 0);
	trans[3][59]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][77]	= settr(132,2,76,1,0,".(goto)", 1, 2, 0);
	T = trans[3][76] = settr(131,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(131,2,60,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(131,2,73,0,0,"DO", 1, 2, 0);
	trans[3][60]	= settr(115,2,70,74,0,"((i<1))", 1, 2, 0);
	trans[3][60]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][70] = settr(125,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(125,2,61,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(125,2,63,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(125,2,67,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(125,2,69,0,0,"IF", 1, 2, 0);
	trans[3][61]	= settr(116,2,62,75,0,"(((state[i]==DONE)&&(position[i]<recorded)))", 1, 2, 0);
	trans[3][61]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][62]	= settr(117,2,72,76,76,"state[i] = FREE", 1, 2, 0);
	trans[3][62]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][71]	= settr(126,2,72,1,0,".(goto)", 1, 2, 0);
	trans[3][63]	= settr(118,2,64,77,0,"(((state[i]==DONE)&&(position[i]>=recorded)))", 1, 2, 0);
	trans[3][63]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][64]	= settr(119,2,65,78,78,"element[position[i]] = i", 1, 2, 0);
	trans[3][64]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][65]	= settr(120,2,66,79,79,"done = (done+1)", 1, 2, 0);
	trans[3][65]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][66]	= settr(121,2,72,80,80,"taken = (taken+1)", 1, 2, 0);
	trans[3][66]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][67]	= settr(122,2,68,81,0,"((state[i]==SUBMITTED))", 1, 2, 0);
	trans[3][67]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][68]	= settr(123,2,72,82,82,"taken = (taken+1)", 1, 2, 0);
	trans[3][68]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][69]	= settr(124,2,72,2,0,"else", 1, 2, 0);
	trans[3][69]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][72]	= settr(127,2,76,83,83,"i = (i+1)", 1, 2, 0);
	trans[3][72]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][73]	= settr(128,2,74,2,0,"else", 1, 2, 0);
	trans[3][73]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][74]	= settr(129,2,78,84,84,"i = 0", 1, 2, 0);
	trans[3][74]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][75]	= settr(130,2,78,1,0,"goto :b8", 1, 2, 0);
	trans[3][75]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][78]	= settr(133,2,79,1,0,"break", 1, 2, 0);
	trans[3][78]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][79]	= settr(134,0,157,1,0,"goto :b7", 1, 2, 0);
	trans[3][79]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][81]	= settr(136,0,87,85,0,"(!(mapped[slot]))", 1, 2, 0);
	trans[3][81]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][87] = settr(142,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(142,0,84,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(142,0,85,0,0,"IF", 0, 2, 0);
	T = trans[ 3][84] = settr(139,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(139,2,82,0,0,"ATOMIC", 1, 2, 0);
	trans[3][82]	= settr(137,2,83,86,0,"((((lock==7)&&attached[slot])&&(serving==slot)))", 1, 2, 0);
	trans[3][82]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][83]	= settr(138,0,89,87,87,"mapped[slot] = 1", 1, 2, 0);
	trans[3][83]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][88]	= settr(143,0,89,1,0,".(goto)", 0, 2, 0);
	trans[3][85]	= settr(140,0,365,88,0,"(((lock==7)&&!((attached[slot]&&(serving==slot)))))", 1, 2, 0);
	trans[3][85]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][86]	= settr(141,0,365,1,0,"goto lost", 0, 2, 0);
	trans[3][86]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][91]	= settr(146,0,157,1,0,"break", 0, 2, 0);
	trans[3][91]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][157] = settr(212,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(212,0,104,0,0,"sub-sequence", 0, 2, 0);
	trans[3][105]	= settr(160,0,104,1,0,".(goto)", 0, 2, 0);
	T = trans[3][104] = settr(159,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(159,0,95,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(159,0,96,0,0,"DO", 0, 2, 0);
	T = trans[ 3][95] = settr(150,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(150,2,92,0,0,"ATOMIC", 1, 2, 0);
	trans[3][92]	= settr(147,2,93,89,0,"(mapped[slot])", 1, 2, 0);
	trans[3][92]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][93]	= settr(148,2,94,90,90,"used = done", 1, 2, 0);
	trans[3][93]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][94]	= settr(149,0,119,1,0,"goto :b9", 1, 2, 0);
	trans[3][94]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][96]	= settr(151,0,102,91,0,"(!(mapped[slot]))", 1, 2, 0);
	trans[3][96]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][102] = settr(157,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(157,0,99,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(157,0,100,0,0,"IF", 0, 2, 0);
	T = trans[ 3][99] = settr(154,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(154,2,97,0,0,"ATOMIC", 1, 2, 0);
	trans[3][97]	= settr(152,2,98,92,0,"((((lock==7)&&attached[slot])&&(serving==slot)))", 1, 2, 0);
	trans[3][97]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][98]	= settr(153,0,104,93,93,"mapped[slot] = 1", 1, 2, 0);
	trans[3][98]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][103]	= settr(158,0,104,1,0,".(goto)", 0, 2, 0);
	trans[3][100]	= settr(155,0,365,94,0,"(((lock==7)&&!((attached[slot]&&(serving==slot)))))", 1, 2, 0);
	trans[3][100]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][101]	= settr(156,0,365,1,0,"goto lost", 0, 2, 0);
	trans[3][101]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][106]	= settr(161,0,119,1,0,"break", 0, 2, 0);
	trans[3][106]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][120]	= settr(175,0,119,1,0,".(goto)", 0, 2, 0);
	T = trans[3][119] = settr(174,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(174,0,110,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(174,0,111,0,0,"DO", 0, 2, 0);
	T = trans[ 3][110] = settr(165,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(165,2,107,0,0,"ATOMIC", 1, 2, 0);
	trans[3][107]	= settr(162,2,108,95,0,"(mapped[slot])", 1, 2, 0);
	trans[3][107]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][108]	= settr(163,2,109,96,96,"recorded = done", 1, 2, 0);
	trans[3][108]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][109]	= settr(164,0,147,1,0,"goto :b10", 1, 2, 0);
	trans[3][109]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][111]	= settr(166,0,117,97,0,"(!(mapped[slot]))", 1, 2, 0);
	trans[3][111]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][117] = settr(172,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(172,0,114,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(172,0,115,0,0,"IF", 0, 2, 0);
	T = trans[ 3][114] = settr(169,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(169,2,112,0,0,"ATOMIC", 1, 2, 0);
	trans[3][112]	= settr(167,2,113,98,0,"((((lock==7)&&attached[slot])&&(serving==slot)))", 1, 2, 0);
	trans[3][112]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][113]	= settr(168,0,119,99,99,"mapped[slot] = 1", 1, 2, 0);
	trans[3][113]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][118]	= settr(173,0,119,1,0,".(goto)", 0, 2, 0);
	trans[3][115]	= settr(170,0,365,100,0,"(((lock==7)&&!((attached[slot]&&(serving==slot)))))", 1, 2, 0);
	trans[3][115]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][116]	= settr(171,0,365,1,0,"goto lost", 0, 2, 0);
	trans[3][116]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][121]	= settr(176,0,147,1,0,"break", 0, 2, 0);
	trans[3][121]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][148]	= settr(203,0,147,1,0,".(goto)", 0, 2, 0);
	T = trans[3][147] = settr(202,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(202,0,138,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(202,0,139,0,0,"DO", 0, 2, 0);
	T = trans[ 3][138] = settr(193,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(193,2,122,0,0,"ATOMIC", 1, 2, 0);
	trans[3][122]	= settr(177,2,123,101,0,"(mapped[slot])", 1, 2, 0);
	trans[3][122]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][123]	= settr(178,2,134,102,102,"i = 0", 1, 2, 0);
	trans[3][123]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][135]	= settr(190,2,134,1,0,".(goto)", 1, 2, 0);
	T = trans[3][134] = settr(189,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(189,2,124,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(189,2,131,0,0,"DO", 1, 2, 0);
	trans[3][124]	= settr(179,2,128,103,0,"((i<1))", 1, 2, 0);
	trans[3][124]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][128] = settr(183,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(183,2,125,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(183,2,127,0,0,"IF", 1, 2, 0);
	trans[3][125]	= settr(180,2,126,104,0,"(((state[i]==DONE)&&(position[i]<done)))", 1, 2, 0);
	trans[3][125]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][126]	= settr(181,2,130,105,105,"state[i] = FREE", 1, 2, 0);
	trans[3][126]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][129]	= settr(184,2,130,1,0,".(goto)", 1, 2, 0);
	trans[3][127]	= settr(182,2,130,2,0,"else", 1, 2, 0);
	trans[3][127]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][130]	= settr(185,2,134,106,106,"i = (i+1)", 1, 2, 0);
	trans[3][130]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][131]	= settr(186,2,132,2,0,"else", 1, 2, 0);
	trans[3][131]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][132]	= settr(187,2,136,107,107,"i = 0", 1, 2, 0);
	trans[3][132]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][133]	= settr(188,2,136,1,0,"goto :b12", 1, 2, 0);
	trans[3][133]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][136]	= settr(191,2,137,1,0,"break", 1, 2, 0);
	trans[3][136]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][137]	= settr(192,0,156,1,0,"goto :b11", 1, 2, 0);
	trans[3][137]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][139]	= settr(194,0,145,108,0,"(!(mapped[slot]))", 1, 2, 0);
	trans[3][139]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][145] = settr(200,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(200,0,142,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(200,0,143,0,0,"IF", 0, 2, 0);
	T = trans[ 3][142] = settr(197,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(197,2,140,0,0,"ATOMIC", 1, 2, 0);
	trans[3][140]	= settr(195,2,141,109,0,"((((lock==7)&&attached[slot])&&(serving==slot)))", 1, 2, 0);
	trans[3][140]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][141]	= settr(196,0,147,110,110,"mapped[slot] = 1", 1, 2, 0);
	trans[3][141]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][146]	= settr(201,0,147,1,0,".(goto)", 0, 2, 0);
	trans[3][143]	= settr(198,0,365,111,0,"(((lock==7)&&!((attached[slot]&&(serving==slot)))))", 1, 2, 0);
	trans[3][143]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][144]	= settr(199,0,365,1,0,"goto lost", 0, 2, 0);
	trans[3][144]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][149]	= settr(204,0,156,1,0,"break", 0, 2, 0);
	trans[3][149]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][156] = settr(211,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(211,0,155,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 3][155] = settr(210,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(210,2,153,0,0,"ATOMIC", 1, 2, 0);
	T = trans[3][153] = settr(208,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(208,2,150,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(208,2,152,0,0,"IF", 1, 2, 0);
	trans[3][150]	= settr(205,2,151,112,0,"((attached[slot]&&(serving==slot)))", 1, 2, 0);
	trans[3][150]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][151]	= settr(206,2,154,113,113,"interrupt = 1", 1, 2, 0);
	trans[3][151]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][154]	= settr(209,0,158,1,0,".(goto)", 1, 2, 0);
	trans[3][152]	= settr(207,2,154,2,0,"else", 1, 2, 0);
	trans[3][152]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][158]	= settr(213,0,173,114,114,"r = 0", 0, 2, 0);
	trans[3][158]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][174]	= settr(229,0,173,1,0,".(goto)", 0, 2, 0);
	T = trans[3][173] = settr(228,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(228,0,159,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(228,0,170,0,0,"DO", 0, 2, 0);
	trans[3][159]	= settr(214,0,169,115,0,"((r<1))", 0, 2, 0);
	trans[3][159]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][169] = settr(224,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(224,2,166,0,0,"ATOMIC", 1, 2, 0);
	T = trans[3][166] = settr(221,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(221,2,160,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(221,2,165,0,0,"IF", 1, 2, 0);
	trans[3][160]	= settr(215,2,164,116,0,"((state[r]==SUBMITTED))", 1, 2, 0);
	trans[3][160]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][164] = settr(219,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(219,0,163,0,0,"sub-sequence", 1, 2, 0);
	T = trans[ 3][163] = settr(218,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(218,0,161,0,0,"sub-sequence", 1, 2, 0);
	trans[3][161]	= settr(216,2,162,117,117,"io_of[r] = slot", 1, 2, 0);
	trans[3][161]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][162]	= settr(217,2,167,118,118,"io_over[r] = 0", 1, 2, 0);
	trans[3][162]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][167]	= settr(222,2,168,1,0,".(goto)", 1, 2, 0);
	trans[3][165]	= settr(220,2,167,2,0,"else", 1, 2, 0);
	trans[3][165]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][168]	= settr(223,0,173,119,119,"r = (r+1)", 1, 2, 0);
	trans[3][168]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][170]	= settr(225,0,171,2,0,"else", 0, 2, 0);
	trans[3][170]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][171]	= settr(226,0,189,120,120,"r = 0", 0, 2, 0);
	trans[3][171]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][172]	= settr(227,0,189,1,0,"goto :b13", 0, 2, 0);
	trans[3][172]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][175]	= settr(230,0,189,1,0,"break", 0, 2, 0);
	trans[3][175]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][190]	= settr(245,0,189,1,0,".(goto)", 0, 2, 0);
	T = trans[3][189] = settr(244,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(244,0,180,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(244,0,181,0,0,"DO", 0, 2, 0);
	T = trans[ 3][180] = settr(235,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(235,2,177,0,0,"ATOMIC", 1, 2, 0);
	trans[3][177]	= settr(232,2,178,121,0,"(mapped[slot])", 1, 2, 0);
	trans[3][177]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][178]	= settr(233,2,179,122,122,"quiet = 1", 1, 2, 0);
	trans[3][178]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][179]	= settr(234,0,216,1,0,"goto :b14", 1, 2, 0);
	trans[3][179]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][181]	= settr(236,0,187,123,0,"(!(mapped[slot]))", 1, 2, 0);
	trans[3][181]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][187] = settr(242,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(242,0,184,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(242,0,185,0,0,"IF", 0, 2, 0);
	T = trans[ 3][184] = settr(239,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(239,2,182,0,0,"ATOMIC", 1, 2, 0);
	trans[3][182]	= settr(237,2,183,124,0,"((((lock==7)&&attached[slot])&&(serving==slot)))", 1, 2, 0);
	trans[3][182]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][183]	= settr(238,0,189,125,125,"mapped[slot] = 1", 1, 2, 0);
	trans[3][183]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][188]	= settr(243,0,189,1,0,".(goto)", 0, 2, 0);
	trans[3][185]	= settr(240,0,365,126,0,"(((lock==7)&&!((attached[slot]&&(serving==slot)))))", 1, 2, 0);
	trans[3][185]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][186]	= settr(241,0,365,1,0,"goto lost", 0, 2, 0);
	trans[3][186]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][191]	= settr(246,0,216,1,0,"break", 0, 2, 0);
	trans[3][191]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][217]	= settr(272,0,216,1,0,".(goto)", 0, 2, 0);
	T = trans[3][216] = settr(271,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(271,0,192,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(271,0,214,0,0,"DO", 0, 2, 0);
	trans[3][192]	= settr(247,0,205,127,0,"((taken<available))", 1, 2, 0);
	trans[3][192]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][206]	= settr(261,0,205,1,0,".(goto)", 0, 2, 0);
	T = trans[3][205] = settr(260,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(260,0,196,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(260,0,197,0,0,"DO", 0, 2, 0);
	T = trans[ 3][196] = settr(251,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(251,2,193,0,0,"ATOMIC", 1, 2, 0);
	trans[3][193]	= settr(248,2,194,128,0,"(mapped[slot])", 1, 2, 0);
	trans[3][193]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][194]	= settr(249,2,195,129,129,"state[taken] = SUBMITTED", 1, 2, 0);
	trans[3][194]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][195]	= settr(250,0,213,1,0,"goto :b16", 1, 2, 0);
	trans[3][195]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][197]	= settr(252,0,203,130,0,"(!(mapped[slot]))", 1, 2, 0);
	trans[3][197]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][203] = settr(258,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(258,0,200,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(258,0,201,0,0,"IF", 0, 2, 0);
	T = trans[ 3][200] = settr(255,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(255,2,198,0,0,"ATOMIC", 1, 2, 0);
	trans[3][198]	= settr(253,2,199,131,0,"((((lock==7)&&attached[slot])&&(serving==slot)))", 1, 2, 0);
	trans[3][198]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][199]	= settr(254,0,205,132,132,"mapped[slot] = 1", 1, 2, 0);
	trans[3][199]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][204]	= settr(259,0,205,1,0,".(goto)", 0, 2, 0);
	trans[3][201]	= settr(256,0,365,133,0,"(((lock==7)&&!((attached[slot]&&(serving==slot)))))", 1, 2, 0);
	trans[3][201]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][202]	= settr(257,0,365,1,0,"goto lost", 0, 2, 0);
	trans[3][202]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][207]	= settr(262,0,213,1,0,"break", 0, 2, 0);
	trans[3][207]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][213] = settr(268,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(268,2,211,0,0,"ATOMIC", 1, 2, 0);
	T = trans[ 3][211] = settr(266,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(266,0,210,0,0,"sub-sequence", 1, 2, 0);
	T = trans[ 3][210] = settr(265,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(265,0,208,0,0,"sub-sequence", 1, 2, 0);
	trans[3][208]	= settr(263,2,209,134,134,"io_of[taken] = slot", 1, 2, 0);
	trans[3][208]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][209]	= settr(264,2,212,135,135,"io_over[taken] = 0", 1, 2, 0);
	trans[3][209]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][212]	= settr(267,0,216,136,136,"taken = (taken+1)", 1, 2, 0);
	trans[3][212]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][214]	= settr(269,0,231,2,0,"else", 0, 2, 0);
	trans[3][214]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][215]	= settr(270,0,231,1,0,"goto :b15", 0, 2, 0);
	trans[3][215]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][218]	= settr(273,0,231,1,0,"break", 0, 2, 0);
	trans[3][218]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][232]	= settr(287,0,231,1,0,".(goto)", 0, 2, 0);
	T = trans[3][231] = settr(286,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(286,0,222,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(286,0,223,0,0,"DO", 0, 2, 0);
	T = trans[ 3][222] = settr(277,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(277,2,219,0,0,"ATOMIC", 1, 2, 0);
	trans[3][219]	= settr(274,2,220,137,0,"(mapped[slot])", 1, 2, 0);
	trans[3][219]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][220]	= settr(275,2,221,138,138,"quiet = 0", 1, 2, 0);
	trans[3][220]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][221]	= settr(276,0,237,1,0,"goto :b17", 1, 2, 0);
	trans[3][221]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][223]	= settr(278,0,229,139,0,"(!(mapped[slot]))", 1, 2, 0);
	trans[3][223]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][229] = settr(284,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(284,0,226,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(284,0,227,0,0,"IF", 0, 2, 0);
	T = trans[ 3][226] = settr(281,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(281,2,224,0,0,"ATOMIC", 1, 2, 0);
	trans[3][224]	= settr(279,2,225,140,0,"((((lock==7)&&attached[slot])&&(serving==slot)))", 1, 2, 0);
	trans[3][224]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][225]	= settr(280,0,231,141,141,"mapped[slot] = 1", 1, 2, 0);
	trans[3][225]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][230]	= settr(285,0,231,1,0,".(goto)", 0, 2, 0);
	trans[3][227]	= settr(282,0,365,142,0,"(((lock==7)&&!((attached[slot]&&(serving==slot)))))", 1, 2, 0);
	trans[3][227]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][228]	= settr(283,0,365,1,0,"goto lost", 0, 2, 0);
	trans[3][228]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][233]	= settr(288,0,237,1,0,"break", 0, 2, 0);
	trans[3][233]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][237] = settr(292,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(292,0,234,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(292,0,236,0,0,"IF", 0, 2, 0);
	trans[3][234]	= settr(289,0,189,143,0,"((taken<available))", 1, 2, 0);
	trans[3][234]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][235]	= settr(290,0,189,1,0,"goto turn", 0, 2, 0);
	trans[3][235]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][238]	= settr(293,0,353,1,0,".(goto)", 0, 2, 0);
	trans[3][236]	= settr(291,0,353,2,0,"else", 0, 2, 0);
	trans[3][236]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][354]	= settr(409,0,353,1,0,".(goto)", 0, 2, 0);
	T = trans[3][353] = settr(408,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(408,0,241,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(408,0,243,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(408,0,351,0,0,"DO", 0, 2, 0);
	T = trans[ 3][241] = settr(296,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(296,2,239,0,0,"ATOMIC", 1, 2, 0);
	trans[3][239]	= settr(294,2,240,144,0,"(signalled[slot])", 1, 2, 0);
	trans[3][239]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][240]	= settr(295,0,189,145,145,"signalled[slot] = 0", 1, 2, 0);
	trans[3][240]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][242]	= settr(297,0,189,1,0,"goto turn", 0, 2, 0);
	trans[3][242]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][243]	= settr(298,0,350,146,0,"(((io_of[0]==slot)&&io_over[0]))", 1, 2, 0);
	trans[3][243]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][350] = settr(405,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(405,0,250,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 3][250] = settr(305,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(305,2,246,0,0,"ATOMIC", 1, 2, 0);
	T = trans[3][246] = settr(301,2,0,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(301,2,244,0,0,"IF", 1, 2, 0);
	trans[3][244]	= settr(299,2,245,147,0,"(((io_of[0]==slot)&&io_over[0]))", 1, 2, 0);
	trans[3][244]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][245]	= settr(300,2,248,148,148,"r = 0", 1, 2, 0);
	trans[3][245]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][247]	= settr(302,2,248,1,0,".(goto)", 1, 2, 0);
	trans[3][248]	= settr(303,2,249,149,149,"io_of[r] = 7", 1, 2, 0);
	trans[3][248]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][249]	= settr(304,0,264,150,150,"io_over[r] = 0", 1, 2, 0);
	trans[3][249]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][265]	= settr(320,0,264,1,0,".(goto)", 0, 2, 0);
	T = trans[3][264] = settr(319,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(319,0,255,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(319,0,256,0,0,"DO", 0, 2, 0);
	T = trans[ 3][255] = settr(310,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(310,2,251,0,0,"ATOMIC", 1, 2, 0);
	trans[3][251]	= settr(306,2,252,151,0,"(mapped[slot])", 1, 2, 0);
	trans[3][251]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][252]	= settr(307,2,253,152,152,"position[r] = done", 1, 2, 0);
	trans[3][252]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][253]	= settr(308,2,254,153,153,"state[r] = DONE", 1, 2, 0);
	trans[3][253]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][254]	= settr(309,0,281,1,0,"goto :b19", 1, 2, 0);
	trans[3][254]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][256]	= settr(311,0,262,154,0,"(!(mapped[slot]))", 1, 2, 0);
	trans[3][256]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][262] = settr(317,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(317,0,259,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(317,0,260,0,0,"IF", 0, 2, 0);
	T = trans[ 3][259] = settr(314,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(314,2,257,0,0,"ATOMIC", 1, 2, 0);
	trans[3][257]	= settr(312,2,258,155,0,"((((lock==7)&&attached[slot])&&(serving==slot)))", 1, 2, 0);
	trans[3][257]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][258]	= settr(313,0,264,156,156,"mapped[slot] = 1", 1, 2, 0);
	trans[3][258]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][263]	= settr(318,0,264,1,0,".(goto)", 0, 2, 0);
	trans[3][260]	= settr(315,0,365,157,0,"(((lock==7)&&!((attached[slot]&&(serving==slot)))))", 1, 2, 0);
	trans[3][260]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][261]	= settr(316,0,365,1,0,"goto lost", 0, 2, 0);
	trans[3][261]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][266]	= settr(321,0,281,1,0,"break", 0, 2, 0);
	trans[3][266]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][282]	= settr(337,0,281,1,0,".(goto)", 0, 2, 0);
	T = trans[3][281] = settr(336,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(336,0,272,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(336,0,273,0,0,"DO", 0, 2, 0);
	T = trans[ 3][272] = settr(327,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(327,2,267,0,0,"ATOMIC", 1, 2, 0);
	trans[3][267]	= settr(322,2,268,158,0,"(mapped[slot])", 1, 2, 0);
	trans[3][267]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][268]	= settr(323,2,269,159,159,"element[done] = r", 1, 2, 0);
	trans[3][268]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][269]	= settr(324,2,270,160,160,"done = (done+1)", 1, 2, 0);
	trans[3][269]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][270]	= settr(325,2,271,161,161,"r = 0", 1, 2, 0);
	trans[3][270]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][271]	= settr(326,0,349,1,0,"goto :b20", 1, 2, 0);
	trans[3][271]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][273]	= settr(328,0,279,162,0,"(!(mapped[slot]))", 1, 2, 0);
	trans[3][273]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][279] = settr(334,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(334,0,276,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(334,0,277,0,0,"IF", 0, 2, 0);
	T = trans[ 3][276] = settr(331,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(331,2,274,0,0,"ATOMIC", 1, 2, 0);
	trans[3][274]	= settr(329,2,275,163,0,"((((lock==7)&&attached[slot])&&(serving==slot)))", 1, 2, 0);
	trans[3][274]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][275]	= settr(330,0,281,164,164,"mapped[slot] = 1", 1, 2, 0);
	trans[3][275]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][280]	= settr(335,0,281,1,0,".(goto)", 0, 2, 0);
	trans[3][277]	= settr(332,0,365,165,0,"(((lock==7)&&!((attached[slot]&&(serving==slot)))))", 1, 2, 0);
	trans[3][277]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][278]	= settr(333,0,365,1,0,"goto lost", 0, 2, 0);
	trans[3][278]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][283]	= settr(338,0,349,1,0,"break", 0, 2, 0);
	trans[3][283]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][349] = settr(404,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(404,0,296,0,0,"sub-sequence", 0, 2, 0);
	trans[3][297]	= settr(352,0,296,1,0,".(goto)", 0, 2, 0);
	T = trans[3][296] = settr(351,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(351,0,287,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(351,0,288,0,0,"DO", 0, 2, 0);
	T = trans[ 3][287] = settr(342,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(342,2,284,0,0,"ATOMIC", 1, 2, 0);
	trans[3][284]	= settr(339,2,285,166,0,"(mapped[slot])", 1, 2, 0);
	trans[3][284]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][285]	= settr(340,2,286,167,167,"used = done", 1, 2, 0);
	trans[3][285]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][286]	= settr(341,0,311,1,0,"goto :b21", 1, 2, 0);
	trans[3][286]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][288]	= settr(343,0,294,168,0,"(!(mapped[slot]))", 1, 2, 0);
	trans[3][288]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][294] = settr(349,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(349,0,291,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(349,0,292,0,0,"IF", 0, 2, 0);
	T = trans[ 3][291] = settr(346,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(346,2,289,0,0,"ATOMIC", 1, 2, 0);
	trans[3][289]	= settr(344,2,290,169,0,"((((lock==7)&&attached[slot])&&(serving==slot)))", 1, 2, 0);
	trans[3][289]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][290]	= settr(345,0,296,170,170,"mapped[slot] = 1", 1, 2, 0);
	trans[3][290]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][295]	= settr(350,0,296,1,0,".(goto)", 0, 2, 0);
	trans[3][292]	= settr(347,0,365,171,0,"(((lock==7)&&!((attached[slot]&&(serving==slot)))))", 1, 2, 0);
	trans[3][292]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][293]	= settr(348,0,365,1,0,"goto lost", 0, 2, 0);
	trans[3][293]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][298]	= settr(353,0,311,1,0,"break", 0, 2, 0);
	trans[3][298]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][312]	= settr(367,0,311,1,0,".(goto)", 0, 2, 0);
	T = trans[3][311] = settr(366,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(366,0,302,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(366,0,303,0,0,"DO", 0, 2, 0);
	T = trans[ 3][302] = settr(357,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(357,2,299,0,0,"ATOMIC", 1, 2, 0);
	trans[3][299]	= settr(354,2,300,172,0,"(mapped[slot])", 1, 2, 0);
	trans[3][299]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][300]	= settr(355,2,301,173,173,"recorded = done", 1, 2, 0);
	trans[3][300]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][301]	= settr(356,0,339,1,0,"goto :b22", 1, 2, 0);
	trans[3][301]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][303]	= settr(358,0,309,174,0,"(!(mapped[slot]))", 1, 2, 0);
	trans[3][303]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][309] = settr(364,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(364,0,306,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(364,0,307,0,0,"IF", 0, 2, 0);
	T = trans[ 3][306] = settr(361,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(361,2,304,0,0,"ATOMIC", 1, 2, 0);
	trans[3][304]	= settr(359,2,305,175,0,"((((lock==7)&&attached[slot])&&(serving==slot)))", 1, 2, 0);
	trans[3][304]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][305]	= settr(360,0,311,176,176,"mapped[slot] = 1", 1, 2, 0);
	trans[3][305]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][310]	= settr(365,0,311,1,0,".(goto)", 0, 2, 0);
	trans[3][307]	= settr(362,0,365,177,0,"(((lock==7)&&!((attached[slot]&&(serving==slot)))))", 1, 2, 0);
	trans[3][307]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][308]	= settr(363,0,365,1,0,"goto lost", 0, 2, 0);
	trans[3][308]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][313]	= settr(368,0,339,1,0,"break", 0, 2, 0);
	trans[3][313]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][340]	= settr(395,0,339,1,0,".(goto)", 0, 2, 0);
	T = trans[3][339] = settr(394,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(394,0,330,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(394,0,331,0,0,"DO", 0, 2, 0);
	T = trans[ 3][330] = settr(385,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(385,2,314,0,0,"ATOMIC", 1, 2, 0);
	trans[3][314]	= settr(369,2,315,178,0,"(mapped[slot])", 1, 2, 0);
	trans[3][314]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][315]	= settr(370,2,326,179,179,"i = 0", 1, 2, 0);
	trans[3][315]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][327]	= settr(382,2,326,1,0,".(goto)", 1, 2, 0);
	T = trans[3][326] = settr(381,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(381,2,316,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(381,2,323,0,0,"DO", 1, 2, 0);
	trans[3][316]	= settr(371,2,320,180,0,"((i<1))", 1, 2, 0);
	trans[3][316]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][320] = settr(375,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(375,2,317,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(375,2,319,0,0,"IF", 1, 2, 0);
	trans[3][317]	= settr(372,2,318,181,0,"(((state[i]==DONE)&&(position[i]<done)))", 1, 2, 0);
	trans[3][317]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][318]	= settr(373,2,322,182,182,"state[i] = FREE", 1, 2, 0);
	trans[3][318]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][321]	= settr(376,2,322,1,0,".(goto)", 1, 2, 0);
	trans[3][319]	= settr(374,2,322,2,0,"else", 1, 2, 0);
	trans[3][319]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][322]	= settr(377,2,326,183,183,"i = (i+1)", 1, 2, 0);
	trans[3][322]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][323]	= settr(378,2,324,2,0,"else", 1, 2, 0);
	trans[3][323]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][324]	= settr(379,2,328,184,184,"i = 0", 1, 2, 0);
	trans[3][324]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][325]	= settr(380,2,328,1,0,"goto :b24", 1, 2, 0);
	trans[3][325]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][328]	= settr(383,2,329,1,0,"break", 1, 2, 0);
	trans[3][328]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][329]	= settr(384,0,348,1,0,"goto :b23", 1, 2, 0);
	trans[3][329]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][331]	= settr(386,0,337,185,0,"(!(mapped[slot]))", 1, 2, 0);
	trans[3][331]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][337] = settr(392,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(392,0,334,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(392,0,335,0,0,"IF", 0, 2, 0);
	T = trans[ 3][334] = settr(389,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(389,2,332,0,0,"ATOMIC", 1, 2, 0);
	trans[3][332]	= settr(387,2,333,186,0,"((((lock==7)&&attached[slot])&&(serving==slot)))", 1, 2, 0);
	trans[3][332]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][333]	= settr(388,0,339,187,187,"mapped[slot] = 1", 1, 2, 0);
	trans[3][333]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][338]	= settr(393,0,339,1,0,".(goto)", 0, 2, 0);
	trans[3][335]	= settr(390,0,365,188,0,"(((lock==7)&&!((attached[slot]&&(serving==slot)))))", 1, 2, 0);
	trans[3][335]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][336]	= settr(391,0,365,1,0,"goto lost", 0, 2, 0);
	trans[3][336]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][341]	= settr(396,0,348,1,0,"break", 0, 2, 0);
	trans[3][341]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][348] = settr(403,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(403,0,347,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 3][347] = settr(402,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(402,2,345,0,0,"ATOMIC", 1, 2, 0);
	T = trans[3][345] = settr(400,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(400,2,342,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(400,2,344,0,0,"IF", 1, 2, 0);
	trans[3][342]	= settr(397,2,343,189,0,"((attached[slot]&&(serving==slot)))", 1, 2, 0);
	trans[3][342]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][343]	= settr(398,2,346,190,190,"interrupt = 1", 1, 2, 0);
	trans[3][343]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][346]	= settr(401,0,353,1,0,".(goto)", 1, 2, 0);
	trans[3][344]	= settr(399,2,346,2,0,"else", 1, 2, 0);
	trans[3][344]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][351]	= settr(406,0,365,191,0,"((!(attached[slot])||(serving!=slot)))", 1, 2, 0);
	trans[3][351]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][352]	= settr(407,0,365,1,0,"goto :b18", 0, 2, 0);
	trans[3][352]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][355]	= settr(410,0,365,1,0,"break", 0, 2, 0);
	trans[3][355]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][366]	= settr(421,0,365,1,0,".(goto)", 0, 2, 0);
	T = trans[3][365] = settr(420,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(420,0,356,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(420,0,363,0,0,"DO", 0, 2, 0);
	trans[3][356]	= settr(411,0,362,192,0,"(((io_of[0]==slot)&&io_over[0]))", 1, 2, 0);
	trans[3][356]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][362] = settr(417,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(417,2,360,0,0,"ATOMIC", 1, 2, 0);
	T = trans[3][360] = settr(415,2,0,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(415,2,357,0,0,"IF", 1, 2, 0);
	trans[3][357]	= settr(412,2,358,193,0,"(((io_of[0]==slot)&&io_over[0]))", 1, 2, 0);
	trans[3][357]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][358]	= settr(413,2,359,194,194,"io_of[0] = 7", 1, 2, 0);
	trans[3][358]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][359]	= settr(414,2,361,195,195,"io_over[0] = 0", 1, 2, 0);
	trans[3][359]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][361]	= settr(416,0,365,1,0,".(goto)", 1, 2, 0);
	trans[3][363]	= settr(418,0,373,196,0,"(!((io_of[0]==slot)))", 1, 2, 0);
	trans[3][363]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][364]	= settr(419,0,373,1,0,"goto :b25", 0, 2, 0);
	trans[3][364]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][367]	= settr(422,0,373,1,0,"break", 0, 2, 0);
	trans[3][367]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][373] = settr(428,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(428,2,371,0,0,"ATOMIC", 1, 2, 0);
	T = trans[3][371] = settr(426,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(426,2,368,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(426,2,370,0,0,"IF", 1, 2, 0);
	trans[3][368]	= settr(423,2,369,197,0,"((fence==slot))", 1, 2, 0);
	trans[3][368]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][369]	= settr(424,2,372,198,198,"fence = 7", 1, 2, 0);
	trans[3][369]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][372]	= settr(427,0,439,1,0,".(goto)", 1, 2, 0);
	trans[3][370]	= settr(425,2,372,2,0,"else", 1, 2, 0);
	trans[3][370]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][439] = settr(494,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(494,0,374,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(494,0,375,0,0,"IF", 0, 2, 0);
	trans[3][374]	= settr(429,0,21,199,0,"(!(attached[slot]))", 1, 2, 0);
	trans[3][374]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][440]	= settr(495,0,21,1,0,".(goto)", 0, 2, 0);
	trans[3][375]	= settr(430,0,379,200,0,"(attached[slot])", 1, 2, 0);
	trans[3][375]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][379] = settr(434,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(434,0,378,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 3][378] = settr(433,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(433,2,376,0,0,"ATOMIC", 1, 2, 0);
	trans[3][376]	= settr(431,2,377,201,0,"((lock==7))", 1, 2, 0);
	trans[3][376]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][377]	= settr(432,0,438,202,202,"lock = slot", 1, 2, 0);
	trans[3][377]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][438] = settr(493,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(493,0,436,0,0,"sub-sequence", 0, 2, 0);
	T = trans[3][436] = settr(491,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(491,0,382,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(491,0,383,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(491,0,397,0,0,"IF", 0, 2, 0);
	T = trans[ 3][382] = settr(437,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(437,2,380,0,0,"ATOMIC", 1, 2, 0);
	trans[3][380]	= settr(435,2,381,203,0,"(!(attached[slot]))", 1, 2, 0);
	trans[3][380]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][381]	= settr(436,0,21,204,204,"lock = 7", 1, 2, 0);
	trans[3][381]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][437]	= settr(492,0,21,1,0,".(goto)", 0, 2, 0);
	trans[3][383]	= settr(438,0,393,205,0,"((attached[slot]&&(serving!=slot)))", 1, 2, 0);
	trans[3][383]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][393] = settr(448,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(448,0,391,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 3][391] = settr(446,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(446,2,384,0,0,"ATOMIC", 1, 2, 0);
	trans[3][384]	= settr(439,2,385,206,206,"attached[slot] = 0", 1, 2, 0);
	trans[3][384]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][385]	= settr(440,2,389,207,207,"sink[slot] = 0", 1, 2, 0);
	trans[3][385]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][389] = settr(444,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(444,2,386,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(444,2,388,0,0,"IF", 1, 2, 0);
	trans[3][386]	= settr(441,2,387,208,0,"((serving==slot))", 1, 2, 0);
	trans[3][386]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][387]	= settr(442,2,390,209,209,"serving = 7", 1, 2, 0);
	trans[3][387]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][390]	= settr(445,0,392,1,0,".(goto)", 1, 2, 0);
	trans[3][388]	= settr(443,2,390,2,0,"else", 1, 2, 0);
	trans[3][388]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][392]	= settr(447,0,396,210,210,"mapped[slot] = 0", 1, 2, 0);
	trans[3][392]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][396] = settr(451,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(451,2,394,0,0,"ATOMIC", 1, 2, 0);
	trans[3][394]	= settr(449,2,395,211,211,"news[slot] = 1", 1, 2, 0);
	trans[3][394]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][395]	= settr(450,0,21,212,212,"lock = 7", 1, 2, 0);
	trans[3][395]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][397]	= settr(452,0,407,213,0,"((attached[slot]&&(serving==slot)))", 1, 2, 0);
	trans[3][397]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][407] = settr(462,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(462,0,405,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 3][405] = settr(460,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(460,2,398,0,0,"ATOMIC", 1, 2, 0);
	trans[3][398]	= settr(453,2,399,214,214,"attached[slot] = 0", 1, 2, 0);
	trans[3][398]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][399]	= settr(454,2,403,215,215,"sink[slot] = 0", 1, 2, 0);
	trans[3][399]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][403] = settr(458,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(458,2,400,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(458,2,402,0,0,"IF", 1, 2, 0);
	trans[3][400]	= settr(455,2,401,216,0,"((serving==slot))", 1, 2, 0);
	trans[3][400]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][401]	= settr(456,2,404,217,217,"serving = 7", 1, 2, 0);
	trans[3][401]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][404]	= settr(459,0,406,1,0,".(goto)", 1, 2, 0);
	trans[3][402]	= settr(457,2,404,2,0,"else", 1, 2, 0);
	trans[3][402]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][406]	= settr(461,0,435,218,218,"mapped[slot] = 0", 1, 2, 0);
	trans[3][406]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][435] = settr(490,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(490,2,432,0,0,"ATOMIC", 1, 2, 0);
	T = trans[3][432] = settr(487,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(487,2,408,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(487,2,420,0,0,"IF", 1, 2, 0);
	trans[3][408]	= settr(463,2,419,219,0,"(attached[(1-slot)])", 1, 2, 0);
	trans[3][408]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][419] = settr(474,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(474,0,409,0,0,"sub-sequence", 1, 2, 0);
	trans[3][409]	= settr(464,2,410,220,0,"assert((!(mapped[0])||((1-slot)==0)))", 1, 2, 0);
	trans[3][409]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][410]	= settr(465,2,411,221,0,"assert((!(mapped[1])||((1-slot)==1)))", 1, 2, 0);
	trans[3][410]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][411]	= settr(466,2,415,222,222,"serving = (1-slot)", 1, 2, 0);
	trans[3][411]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][415] = settr(470,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(470,2,412,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(470,2,414,0,0,"IF", 1, 2, 0);
	trans[3][412]	= settr(467,2,413,223,0,"((((1-slot)!=7)&&sink[(1-slot)]))", 1, 2, 0);
	trans[3][412]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][413]	= settr(468,2,417,224,224,"signalled[(1-slot)] = 1", 1, 2, 0);
	trans[3][413]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][416]	= settr(471,2,417,1,0,".(goto)", 1, 2, 0);
	trans[3][414]	= settr(469,2,417,2,0,"else", 1, 2, 0);
	trans[3][414]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][417]	= settr(472,2,418,225,225,"news[0] = 1", 1, 2, 0);
	trans[3][417]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][418]	= settr(473,2,433,226,226,"news[1] = 1", 1, 2, 0);
	trans[3][418]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][433]	= settr(488,2,434,1,0,".(goto)", 1, 2, 0);
	trans[3][420]	= settr(475,2,431,2,0,"else", 1, 2, 0);
	trans[3][420]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][431] = settr(486,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(486,0,421,0,0,"sub-sequence", 1, 2, 0);
	trans[3][421]	= settr(476,2,422,227,0,"assert((!(mapped[0])||(7==0)))", 1, 2, 0);
	trans[3][421]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][422]	= settr(477,2,423,228,0,"assert((!(mapped[1])||(7==1)))", 1, 2, 0);
	trans[3][422]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][423]	= settr(478,2,427,229,229,"serving = 7", 1, 2, 0);
	trans[3][423]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[3][427] = settr(482,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(482,2,424,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(482,2,426,0,0,"IF", 1, 2, 0);
	trans[3][424]	= settr(479,2,425,230,0,"(((7!=7)&&sink[7]))", 1, 2, 0);
	trans[3][424]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][425]	= settr(480,2,429,231,231,"signalled[7] = 1", 1, 2, 0);
	trans[3][425]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][428]	= settr(483,2,429,1,0,".(goto)", 1, 2, 0);
	trans[3][426]	= settr(481,2,429,2,0,"else", 1, 2, 0);
	trans[3][426]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][429]	= settr(484,2,430,232,232,"news[0] = 1", 1, 2, 0);
	trans[3][429]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][430]	= settr(485,2,433,233,233,"news[1] = 1", 1, 2, 0);
	trans[3][430]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][434]	= settr(489,0,21,234,234,"lock = 7", 1, 2, 0);
	trans[3][434]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	trans[3][441]	= settr(496,0,21,1,0,"goto standby", 0, 2, 0);
	trans[3][441]->escp[0] = 442;
	reached3[442] = 1;
	/* escape #0: 442 */
	/* end-escapes */
	T = trans[ 3][448] = settr(503,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(503,0,447,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 3][447] = settr(502,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(502,2,445,0,0,"ATOMIC", 1, 2, 0);
	trans[3][445]	= settr(500,4,507,235,235,"((lock==7))", 1, 2, 0); /* m: 446 -> 507,0 */
	reached3[446] = 1;
	trans[3][446]	= settr(0,0,0,0,0,"lock = slot",0,0,0);
	T = trans[ 3][507] = settr(562,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(562,0,505,0,0,"sub-sequence", 0, 2, 0);
	T = trans[3][505] = settr(560,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(560,0,451,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(560,0,452,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(560,0,466,0,0,"IF", 0, 2, 0);
	T = trans[ 3][451] = settr(506,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(506,2,449,0,0,"ATOMIC", 1, 2, 0);
	trans[3][449]	= settr(504,0,508,236,236,"(!(attached[slot]))", 1, 2, 0); /* m: 450 -> 508,0 */
	reached3[450] = 1;
	trans[3][450]	= settr(0,0,0,0,0,"lock = 7",0,0,0);
	trans[3][506]	= settr(561,0,508,1,0,".(goto)", 0, 2, 0);
	trans[3][452]	= settr(507,0,462,237,0,"((attached[slot]&&(serving!=slot)))", 1, 2, 0);
	T = trans[ 3][462] = settr(517,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(517,0,460,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 3][460] = settr(515,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(515,2,453,0,0,"ATOMIC", 1, 2, 0);
	trans[3][453]	= settr(508,2,458,238,238,"attached[slot] = 0", 1, 2, 0); /* m: 454 -> 0,458 */
	reached3[454] = 1;
	trans[3][454]	= settr(0,0,0,0,0,"sink[slot] = 0",0,0,0);
	T = trans[3][458] = settr(513,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(513,2,455,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(513,2,457,0,0,"IF", 1, 2, 0);
	trans[3][455]	= settr(510,4,461,239,239,"((serving==slot))", 1, 2, 0); /* m: 456 -> 461,0 */
	reached3[456] = 1;
	trans[3][456]	= settr(0,0,0,0,0,"serving = 7",0,0,0);
	trans[3][459]	= settr(514,0,461,240,240,".(goto)", 1, 2, 0);
	trans[3][457]	= settr(512,2,459,2,0,"else", 1, 2, 0);
	trans[3][461]	= settr(516,0,465,241,241,"mapped[slot] = 0", 1, 2, 0);
	T = trans[ 3][465] = settr(520,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(520,2,463,0,0,"ATOMIC", 1, 2, 0);
	trans[3][463]	= settr(518,0,508,242,242,"news[slot] = 1", 1, 2, 0); /* m: 464 -> 0,508 */
	reached3[464] = 1;
	trans[3][464]	= settr(0,0,0,0,0,"lock = 7",0,0,0);
	trans[3][466]	= settr(521,0,476,243,0,"((attached[slot]&&(serving==slot)))", 1, 2, 0);
	T = trans[ 3][476] = settr(531,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(531,0,474,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 3][474] = settr(529,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(529,2,467,0,0,"ATOMIC", 1, 2, 0);
	trans[3][467]	= settr(522,2,472,244,244,"attached[slot] = 0", 1, 2, 0); /* m: 468 -> 0,472 */
	reached3[468] = 1;
	trans[3][468]	= settr(0,0,0,0,0,"sink[slot] = 0",0,0,0);
	T = trans[3][472] = settr(527,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(527,2,469,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(527,2,471,0,0,"IF", 1, 2, 0);
	trans[3][469]	= settr(524,4,475,245,245,"((serving==slot))", 1, 2, 0); /* m: 470 -> 475,0 */
	reached3[470] = 1;
	trans[3][470]	= settr(0,0,0,0,0,"serving = 7",0,0,0);
	trans[3][473]	= settr(528,0,475,246,246,".(goto)", 1, 2, 0);
	trans[3][471]	= settr(526,2,473,2,0,"else", 1, 2, 0);
	trans[3][475]	= settr(530,0,504,247,247,"mapped[slot] = 0", 1, 2, 0);
	T = trans[ 3][504] = settr(559,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(559,2,501,0,0,"ATOMIC", 1, 2, 0);
	T = trans[3][501] = settr(556,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(556,2,477,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(556,2,489,0,0,"IF", 1, 2, 0);
	trans[3][477]	= settr(532,2,488,248,0,"(attached[(1-slot)])", 1, 2, 0);
	T = trans[ 3][488] = settr(543,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(543,0,478,0,0,"sub-sequence", 1, 2, 0);
	trans[3][478]	= settr(533,2,484,249,249,"assert((!(mapped[0])||((1-slot)==0)))", 1, 2, 0); /* m: 479 -> 0,484 */
	reached3[479] = 1;
	trans[3][479]	= settr(0,0,0,0,0,"assert((!(mapped[1])||((1-slot)==1)))",0,0,0);
	trans[3][480]	= settr(0,0,0,0,0,"serving = (1-slot)",0,0,0);
	T = trans[3][484] = settr(539,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(539,2,481,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(539,2,483,0,0,"IF", 1, 2, 0);
	trans[3][481]	= settr(536,0,508,250,250,"((((1-slot)!=7)&&sink[(1-slot)]))", 1, 2, 0); /* m: 482 -> 508,0 */
	reached3[482] = 1;
	trans[3][482]	= settr(0,0,0,0,0,"signalled[(1-slot)] = 1",0,0,0);
	trans[3][485]	= settr(540,2,486,1,0,".(goto)", 1, 2, 0); /* m: 486 -> 0,508 */
	reached3[486] = 1;
	trans[3][483]	= settr(538,2,486,2,0,"else", 1, 2, 0);
	trans[3][486]	= settr(541,0,508,251,251,"news[0] = 1", 1, 2, 0); /* m: 487 -> 0,508 */
	reached3[487] = 1;
	trans[3][487]	= settr(0,0,0,0,0,"news[1] = 1",0,0,0);
	trans[3][502]	= settr(557,0,508,252,252,".(goto)", 1, 2, 0); /* m: 503 -> 0,508 */
	reached3[503] = 1;
	trans[3][489]	= settr(544,2,500,2,0,"else", 1, 2, 0);
	T = trans[ 3][500] = settr(555,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(555,0,490,0,0,"sub-sequence", 1, 2, 0);
	trans[3][490]	= settr(545,2,496,253,253,"assert((!(mapped[0])||(7==0)))", 1, 2, 0); /* m: 491 -> 0,496 */
	reached3[491] = 1;
	trans[3][491]	= settr(0,0,0,0,0,"assert((!(mapped[1])||(7==1)))",0,0,0);
	trans[3][492]	= settr(0,0,0,0,0,"serving = 7",0,0,0);
	T = trans[3][496] = settr(551,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(551,2,493,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(551,2,495,0,0,"IF", 1, 2, 0);
	trans[3][493]	= settr(548,0,508,254,254,"(((7!=7)&&sink[7]))", 1, 2, 0); /* m: 494 -> 508,0 */
	reached3[494] = 1;
	trans[3][494]	= settr(0,0,0,0,0,"signalled[7] = 1",0,0,0);
	trans[3][497]	= settr(552,2,498,1,0,".(goto)", 1, 2, 0); /* m: 498 -> 0,508 */
	reached3[498] = 1;
	trans[3][495]	= settr(550,2,498,2,0,"else", 1, 2, 0);
	trans[3][498]	= settr(553,0,508,255,255,"news[0] = 1", 1, 2, 0); /* m: 499 -> 0,508 */
	reached3[499] = 1;
	trans[3][499]	= settr(0,0,0,0,0,"news[1] = 1",0,0,0);
	trans[3][503]	= settr(0,0,0,0,0,"lock = 7",0,0,0);
	trans[3][508]	= settr(563,0,527,256,256,"mapped[slot] = 0", 1, 2, 0);
	T = trans[ 3][527] = settr(582,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(582,2,513,0,0,"ATOMIC", 1, 2, 0);
	T = trans[3][513] = settr(568,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(568,2,509,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(568,2,512,0,0,"IF", 1, 2, 0);
	trans[3][509]	= settr(564,2,518,257,257,"(((io_of[0]==slot)&&io_over[0]))", 1, 2, 0); /* m: 510 -> 518,0 */
	reached3[510] = 1;
	trans[3][510]	= settr(0,0,0,0,0,"io_of[0] = 7",0,0,0);
	trans[3][511]	= settr(0,0,0,0,0,"io_over[0] = 0",0,0,0);
	trans[3][514]	= settr(569,2,518,1,0,".(goto)", 1, 2, 0);
	trans[3][512]	= settr(567,2,518,2,0,"else", 1, 2, 0);
	T = trans[3][518] = settr(573,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(573,2,515,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(573,2,517,0,0,"IF", 1, 2, 0);
	trans[3][515]	= settr(570,0,528,258,258,"((fence==slot))", 1, 2, 0); /* m: 516 -> 528,0 */
	reached3[516] = 1;
	trans[3][516]	= settr(0,0,0,0,0,"fence = 7",0,0,0);
	trans[3][519]	= settr(574,2,520,1,0,".(goto)", 1, 2, 0); /* m: 520 -> 0,528 */
	reached3[520] = 1;
	trans[3][517]	= settr(572,2,520,2,0,"else", 1, 2, 0);
	trans[3][520]	= settr(575,0,528,259,259,"dying[slot] = 0", 1, 2, 0); /* m: 521 -> 0,528 */
	reached3[521] = 1;
	trans[3][521]	= settr(0,0,0,0,0,"signalled[slot] = 0",0,0,0);
	trans[3][522]	= settr(0,0,0,0,0,"news[slot] = 0",0,0,0);
	trans[3][523]	= settr(0,0,0,0,0,"done = 0",0,0,0);
	trans[3][524]	= settr(0,0,0,0,0,"taken = 0",0,0,0);
	trans[3][525]	= settr(0,0,0,0,0,"i = 0",0,0,0);
	trans[3][526]	= settr(0,0,0,0,0,"r = 0",0,0,0);
	trans[3][530]	= settr(585,0,531,1,0,"break", 0, 2, 0);
	trans[3][531]	= settr(586,0,0,260,260,"-end-", 0, 3500, 0);

	/* proctype 2: disk */

	trans[2] = (Trans **) emalloc(11*sizeof(Trans *));

	trans[2][8]	= settr(53,0,7,1,0,".(goto)", 0, 2, 0);
	T = trans[2][7] = settr(52,0,0,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(52,0,6,0,0,"DO", 0, 2, 0);
	T = trans[ 2][6] = settr(51,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(51,0,5,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 2][5] = settr(50,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(50,2,1,0,0,"ATOMIC", 1, 2, 0);
	trans[2][1]	= settr(46,0,7,261,261,"(((io_of[0]!=7)&&!(io_over[0])))", 1, 2, 0); /* m: 2 -> 7,0 */
	reached2[2] = 1;
	trans[2][2]	= settr(0,0,0,0,0,"assert(((fence==io_of[0])&&!(complete[0])))",0,0,0);
	trans[2][3]	= settr(0,0,0,0,0,"executed[0] = 1",0,0,0);
	trans[2][4]	= settr(0,0,0,0,0,"io_over[0] = 1",0,0,0);
	trans[2][9]	= settr(54,0,10,1,0,"break", 0, 2, 0);
	trans[2][10]	= settr(55,0,0,262,262,"-end-", 0, 3500, 0);

	/* proctype 1: guest */

	trans[1] = (Trans **) emalloc(35*sizeof(Trans *));

	trans[1][11]	= settr(22,0,10,1,0,".(goto)", 0, 2, 0);
	T = trans[1][10] = settr(21,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(21,0,1,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(21,0,8,0,0,"DO", 0, 2, 0);
	trans[1][1]	= settr(12,0,2,263,0,"((available<1))", 1, 2, 0);
	trans[1][2]	= settr(13,0,6,264,264,"available = (available+1)", 1, 2, 0);
	T = trans[1][6] = settr(17,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(17,0,3,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(17,0,5,0,0,"IF", 0, 2, 0);
	trans[1][3]	= settr(14,0,4,265,0,"(!(quiet))", 1, 2, 0);
	trans[1][4]	= settr(15,0,10,266,266,"work = 1", 1, 2, 0);
	trans[1][7]	= settr(18,0,10,1,0,".(goto)", 0, 2, 0);
	trans[1][5]	= settr(16,0,10,267,0,"(quiet)", 1, 2, 0);
	trans[1][8]	= settr(19,0,31,268,0,"((available==1))", 1, 2, 0);
	trans[1][9]	= settr(20,0,31,1,0,"goto :b1", 0, 2, 0);
	trans[1][12]	= settr(23,0,31,1,0,"break", 0, 2, 0);
	trans[1][32]	= settr(43,0,31,1,0,".(goto)", 0, 2, 0);
	T = trans[1][31] = settr(42,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(42,0,13,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(42,0,29,0,0,"DO", 0, 2, 0);
	trans[1][13]	= settr(24,0,16,269,0,"((seen<1))", 0, 2, 0);
	T = trans[ 1][16] = settr(27,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(27,2,14,0,0,"ATOMIC", 1, 2, 0);
	trans[1][14]	= settr(25,4,28,270,270,"(interrupt)", 1, 2, 0); /* m: 15 -> 28,0 */
	reached1[15] = 1;
	trans[1][15]	= settr(0,0,0,0,0,"interrupt = 0",0,0,0);
	T = trans[ 1][28] = settr(39,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(39,2,25,0,0,"ATOMIC", 1, 2, 0);
	trans[1][26]	= settr(37,2,25,1,0,".(goto)", 1, 2, 0);
	T = trans[1][25] = settr(36,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(36,2,17,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(36,2,22,0,0,"DO", 1, 2, 0);
	trans[1][17]	= settr(28,2,25,271,271,"((seen<used))", 1, 2, 0); /* m: 18 -> 25,0 */
	reached1[18] = 1;
	trans[1][18]	= settr(0,0,0,0,0,"head = element[seen]",0,0,0);
	trans[1][19]	= settr(0,0,0,0,0,"assert((((head<1)&&executed[head])&&!(complete[head])))",0,0,0);
	trans[1][20]	= settr(0,0,0,0,0,"complete[head] = 1",0,0,0);
	trans[1][21]	= settr(0,0,0,0,0,"seen = (seen+1)",0,0,0);
	trans[1][22]	= settr(33,2,23,2,0,"else", 1, 2, 0);
	trans[1][23]	= settr(34,2,27,272,272,"head = 0", 1, 2, 0); /* m: 24 -> 0,27 */
	reached1[24] = 1;
	trans[1][24]	= settr(35,2,27,1,0,"goto :b3", 1, 2, 0);
	trans[1][27]	= settr(38,0,31,1,0,"break", 1, 2, 0);
	trans[1][29]	= settr(40,0,34,273,273,"((seen==1))", 0, 2, 0);
	trans[1][30]	= settr(41,0,34,1,0,"goto :b2", 0, 2, 0);
	trans[1][33]	= settr(44,0,34,1,0,"break", 0, 2, 0);
	trans[1][34]	= settr(45,0,0,274,274,"-end-", 0, 3500, 0);

	/* proctype 0: source */

	trans[0] = (Trans **) emalloc(13*sizeof(Trans *));

	trans[0][10]	= settr(9,0,9,1,0,".(goto)", 0, 2, 0);
	T = trans[0][9] = settr(8,0,0,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(8,0,8,0,0,"DO", 0, 2, 0);
	T = trans[ 0][8] = settr(7,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(7,2,1,0,0,"ATOMIC", 1, 2, 0);
	trans[0][1]	= settr(0,2,6,275,275,"(work)", 1, 2, 0); /* m: 2 -> 6,0 */
	reached0[2] = 1;
	trans[0][2]	= settr(0,0,0,0,0,"work = 0",0,0,0);
	T = trans[0][6] = settr(5,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(5,2,3,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(5,2,5,0,0,"IF", 1, 2, 0);
	trans[0][3]	= settr(2,0,9,276,276,"(((serving!=7)&&sink[serving]))", 1, 2, 0); /* m: 4 -> 9,0 */
	reached0[4] = 1;
	trans[0][4]	= settr(0,0,0,0,0,"signalled[serving] = 1",0,0,0);
	trans[0][7]	= settr(6,0,9,277,277,".(goto)", 1, 2, 0);
	trans[0][5]	= settr(4,2,7,2,0,"else", 1, 2, 0);
	trans[0][11]	= settr(10,0,12,1,0,"break", 0, 2, 0);
	trans[0][12]	= settr(11,0,0,278,278,"-end-", 0, 3500, 0);
	/* np_ demon: */
	trans[_NP_] = (Trans **) emalloc(3*sizeof(Trans *));
	T = trans[_NP_][0] = settr(9997,0,1,_T5,0,"(np_)", 1,2,0);
	    T->nxt	  = settr(9998,0,0,_T2,0,"(1)",   0,2,0);
	T = trans[_NP_][1] = settr(9999,0,1,_T5,0,"(np_)", 1,2,0);
}

Trans *
settr(	int t_id, int a, int b, int c, int d,
	char *t, int g, int tpe0, int tpe1)
{	Trans *tmp = (Trans *) emalloc(sizeof(Trans));

	tmp->atom  = a&(6|32);	/* only (2|8|32) have meaning */
	if (!g) tmp->atom |= 8;	/* no global references */
	tmp->st    = b;
	tmp->tpe[0] = tpe0;
	tmp->tpe[1] = tpe1;
	tmp->tp    = t;
	tmp->t_id  = t_id;
	tmp->forw  = c;
	tmp->back  = d;
	return tmp;
}

Trans *
cpytr(Trans *a)
{	Trans *tmp = (Trans *) emalloc(sizeof(Trans));

	int i;
	tmp->atom  = a->atom;
	tmp->st    = a->st;
#ifdef HAS_UNLESS
	tmp->e_trans = a->e_trans;
	for (i = 0; i < HAS_UNLESS; i++)
		tmp->escp[i] = a->escp[i];
#endif
	tmp->tpe[0] = a->tpe[0];
	tmp->tpe[1] = a->tpe[1];
	for (i = 0; i < 6; i++)
	{	tmp->qu[i] = a->qu[i];
		tmp->ty[i] = a->ty[i];
	}
	tmp->tp    = (char *) emalloc(strlen(a->tp)+1);
	strcpy(tmp->tp, a->tp);
	tmp->t_id  = a->t_id;
	tmp->forw  = a->forw;
	tmp->back  = a->back;
	return tmp;
}

#ifndef NOREDUCE
int
srinc_set(int n)
{	if (n <= 2) return LOCAL;
	if (n <= 2+  DELTA) return Q_FULL_F; /* 's' or nfull  */
	if (n <= 2+2*DELTA) return Q_EMPT_F; /* 'r' or nempty */
	if (n <= 2+3*DELTA) return Q_EMPT_T; /* empty */
	if (n <= 2+4*DELTA) return Q_FULL_T; /* full  */
	if (n ==   5*DELTA) return GLOBAL;
	if (n ==   6*DELTA) return TIMEOUT_F;
	if (n ==   7*DELTA) return ALPHA_F;
	Uerror("cannot happen srinc_class");
	return BAD;
}
int
srunc(int n, int m)
{	switch(m) {
	case Q_FULL_F: return n-2;
	case Q_EMPT_F: return n-2-DELTA;
	case Q_EMPT_T: return n-2-2*DELTA;
	case Q_FULL_T: return n-2-3*DELTA;
	case ALPHA_F:
	case TIMEOUT_F: return 257; /* non-zero, and > MAXQ */
	}
	Uerror("cannot happen srunc");
	return 0;
}
#endif
int cnt;
#ifdef HAS_UNLESS
int
isthere(Trans *a, int b)
{	Trans *t;
	for (t = a; t; t = t->nxt)
		if (t->t_id == b)
			return 1;
	return 0;
}
#endif
#ifndef NOREDUCE
int
mark_safety(Trans *t) /* for conditional safety */
{	int g = 0, i, j, k;

	if (!t) return 0;
	if (t->qu[0])
		return (t->qu[1])?2:1;	/* marked */

	for (i = 0; i < 2; i++)
	{	j = srinc_set(t->tpe[i]);
		if (j >= GLOBAL && j != ALPHA_F)
			return -1;
		if (j != LOCAL)
		{	k = srunc(t->tpe[i], j);
			if (g == 0
			||  t->qu[0] != k
			||  t->ty[0] != j)
			{	t->qu[g] = k;
				t->ty[g] = j;
				g++;
	}	}	}
	return g;
}
#endif
void
retrans(int n, int m, int is, short srcln[], uchar reach[], uchar lpstate[])
	/* process n, with m states, is=initial state */
{	Trans *T0, *T1, *T2, *T3;
	Trans *T4, *T5; /* t_reverse or has_unless */
	int i;
#if defined(HAS_UNLESS) || !defined(NOREDUCE)
	int k;
#endif
#ifndef NOREDUCE
	int g, h, j, aa;
#endif
#ifdef HAS_UNLESS
	int p;
#endif
	if (state_tables >= 4)
	{	printf("STEP 1 %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
		return;
	}
	do {
		for (i = 1, cnt = 0; i < m; i++)
		{	T2 = trans[n][i];
			T1 = T2?T2->nxt:(Trans *)0;
/* prescan: */		for (T0 = T1; T0; T0 = T0->nxt)
/* choice in choice */	{	if (T0->st && trans[n][T0->st]
				&&  trans[n][T0->st]->nxt)
					break;
			}
#if 0
		if (T0)
		printf("\tstate %d / %d: choice in choice\n",
		i, T0->st);
#endif
			if (T0)
			for (T0 = T1; T0; T0 = T0->nxt)
			{	T3 = trans[n][T0->st];
				if (!T3->nxt)
				{	T2->nxt = cpytr(T0);
					T2 = T2->nxt;
					imed(T2, T0->st, n, i);
					continue;
				}
				do {	T3 = T3->nxt;
					T2->nxt = cpytr(T3);
					T2 = T2->nxt;
					imed(T2, T0->st, n, i);
				} while (T3->nxt);
				cnt++;
			}
		}
	} while (cnt);
	if (state_tables >= 3)
	{	printf("STEP 2 %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
		return;
	}
	for (i = 1; i < m; i++)
	{	if (trans[n][i] && trans[n][i]->nxt) /* optimize */
		{	T1 = trans[n][i]->nxt;
#if 0
			printf("\t\tpull %d (%d) to %d\n",
			T1->st, T1->forw, i);
#endif
			srcln[i] = srcln[T1->st];	/* Oyvind Teig, 5.2.0 */

			if (!trans[n][T1->st]) continue;
			T0 = cpytr(trans[n][T1->st]);
			trans[n][i] = T0;
			reach[T1->st] = 1;
			imed(T0, T1->st, n, i);
			for (T1 = T1->nxt; T1; T1 = T1->nxt)
			{
#if 0
			printf("\t\tpull %d (%d) to %d\n",
				T1->st, T1->forw, i);
#endif
		/*		srcln[i] = srcln[T1->st];  gh: not useful */
				if (!trans[n][T1->st]) continue;
				T0->nxt = cpytr(trans[n][T1->st]);
				T0 = T0->nxt;
				reach[T1->st] = 1;
				imed(T0, T1->st, n, i);
	}	}	}
	if (state_tables >= 2)
	{	printf("STEP 3 %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
		return;
	}
#ifdef HAS_UNLESS
	for (i = 1; i < m; i++)
	{	if (!trans[n][i]) continue;
		/* check for each state i if an
		 * escape to some state p is defined
		 * if so, copy and mark p's transitions
		 * and prepend them to the transition-
		 * list of state i
		 */
	 if (!like_java) /* the default */
	 {	for (T0 = trans[n][i]; T0; T0 = T0->nxt)
		for (k = HAS_UNLESS-1; k >= 0; k--)
		{	if (p = T0->escp[k])
			for (T1 = trans[n][p]; T1; T1 = T1->nxt)
			{	if (isthere(trans[n][i], T1->t_id))
					continue;
				T2 = cpytr(T1);
				T2->e_trans = p;
				T2->nxt = trans[n][i];
				trans[n][i] = T2;
		}	}
	 } else /* outermost unless checked first */
	 {	T4 = T3 = (Trans *) 0;
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
		for (k = HAS_UNLESS-1; k >= 0; k--)
		{	if (p = T0->escp[k])
			for (T1 = trans[n][p]; T1; T1 = T1->nxt)
			{	if (isthere(trans[n][i], T1->t_id))
					continue;
				T2 = cpytr(T1);
				T2->nxt = (Trans *) 0;
				T2->e_trans = p;
				if (T3)	T3->nxt = T2;
				else	T4 = T2;
				T3 = T2;
		}	}
		if (T4)
		{	T3->nxt = trans[n][i];
			trans[n][i] = T4;
		}
	 }
	}
#endif
#ifndef NOREDUCE
	for (i = 1; i < m; i++)
	{	if (a_cycles)
		{ /* moves through these states are visible */
	#if PROG_LAB>0 && defined(HAS_NP)
			if (progstate[n][i])
				goto degrade;
			for (T1 = trans[n][i]; T1; T1 = T1->nxt)
				if (progstate[n][T1->st])
					goto degrade;
	#endif
			if (accpstate[n][i] || visstate[n][i])
				goto degrade;
			for (T1 = trans[n][i]; T1; T1 = T1->nxt)
				if (accpstate[n][T1->st])
					goto degrade;
		}
		T1 = trans[n][i];
		if (!T1) continue;
		g = mark_safety(T1);	/* V3.3.1 */
		if (g < 0) goto degrade; /* global */
		/* check if mixing of guards preserves reduction */
		if (T1->nxt)
		{	k = 0;
			for (T0 = T1; T0; T0 = T0->nxt)
			{	if (!(T0->atom&8))
					goto degrade;
				for (aa = 0; aa < 2; aa++)
				{	j = srinc_set(T0->tpe[aa]);
					if (j >= GLOBAL && j != ALPHA_F)
						goto degrade;
					if (T0->tpe[aa]
					&&  T0->tpe[aa]
					!=  T1->tpe[0])
						k = 1;
			}	}
			/* g = 0;	V3.3.1 */
			if (k)	/* non-uniform selection */
			for (T0 = T1; T0; T0 = T0->nxt)
			for (aa = 0; aa < 2; aa++)
			{	j = srinc_set(T0->tpe[aa]);
				if (j != LOCAL)
				{	k = srunc(T0->tpe[aa], j);
					for (h = 0; h < 6; h++)
						if (T1->qu[h] == k
						&&  T1->ty[h] == j)
							break;
					if (h >= 6)
					{	T1->qu[g%6] = k;
						T1->ty[g%6] = j;
						g++;
			}	}	}
			if (g > 6)
			{	T1->qu[0] = 0;	/* turn it off */
				printf("pan: warning, line %d, ",
					srcln[i]);
			 	printf("too many stmnt types (%d)",
					g);
			  	printf(" in selection\n");
			  goto degrade;
			}
		}
		/* mark all options global if >=1 is global */
		for (T1 = trans[n][i]; T1; T1 = T1->nxt)
			if (!(T1->atom&8)) break;
		if (T1)
degrade:	for (T1 = trans[n][i]; T1; T1 = T1->nxt)
			T1->atom &= ~8;	/* mark as unsafe */
		/* can only mix 'r's or 's's if on same chan */
		/* and not mixed with other local operations */
		T1 = trans[n][i];
		if (!T1 || T1->qu[0]) continue;
		j = T1->tpe[0];
		if (T1->nxt && T1->atom&8)
		{ if (j == 5*DELTA)
		  {	printf("warning: line %d ", srcln[i]);
			printf("mixed condition ");
			printf("(defeats reduction)\n");
			goto degrade;
		  }
		  for (T0 = T1; T0; T0 = T0->nxt)
		  for (aa = 0; aa < 2; aa++)
		  if  (T0->tpe[aa] && T0->tpe[aa] != j)
		  {	printf("warning: line %d ", srcln[i]);
			printf("[%d-%d] mixed %stion ",
				T0->tpe[aa], j, 
				(j==5*DELTA)?"condi":"selec");
			printf("(defeats reduction)\n");
			printf("	'%s' <-> '%s'\n",
				T1->tp, T0->tp);
			goto degrade;
		} }
	}
#endif
	for (i = 1; i < m; i++)
	{	T2 = trans[n][i];
		if (!T2
		||  T2->nxt
		||  strncmp(T2->tp, ".(goto)", 7)
		||  !stopstate[n][i])
			continue;
		stopstate[n][T2->st] = 1;
	}
	if (state_tables && !verbose)
	{	if (dodot)
		{	char buf[256], *q = buf, *p = procname[n];
			while (*p != '\0')
			{	if (*p != ':')
				{	*q++ = *p;
				}
				p++;
			}
			*q = '\0';
			printf("digraph ");
			switch (Btypes[n]) {
			case I_PROC:  printf("init {\n"); break;
			case N_CLAIM: printf("claim_%s {\n", buf); break;
			case E_TRACE: printf("notrace {\n"); break;
			case N_TRACE: printf("trace {\n"); break;
			default:      printf("p_%s {\n", buf); break;
			}
			printf("size=\"8,10\";\n");
			printf("  GT [shape=box,style=dotted,label=\"%s\"];\n", buf);
			printf("  GT -> S%d;\n", is);
		} else
		{	switch (Btypes[n]) {
			case I_PROC:  printf("init\n"); break;
			case N_CLAIM: printf("claim %s\n", procname[n]); break;
			case E_TRACE: printf("notrace assertion\n"); break;
			case N_TRACE: printf("trace assertion\n"); break;
			default:      printf("proctype %s\n", procname[n]); break;
		}	}
		for (i = 1; i < m; i++)
		{	reach[i] = 1;
		}
		tagtable(n, m, is, srcln, reach);
		if (dodot) printf("}\n");
	} else
	for (i = 1; i < m; i++)
	{	int nrelse;
		if (Btypes[n] != N_CLAIM)
		{	for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			{	if (T0->st == i
				&& strcmp(T0->tp, "(1)") == 0)
				{	printf("error: proctype '%s' ",
						procname[n]);
		  			printf("line %d, state %d: has un",
						srcln[i], i);
					printf("conditional self-loop\n");
					pan_exit(1);
		}	}	}
		nrelse = 0;
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
		{	if (strcmp(T0->tp, "else") == 0)
				nrelse++;
		}
		if (nrelse > 1)
		{	printf("error: proctype '%s' state",
				procname[n]);
		  	printf(" %d, inherits %d", i, nrelse);
		  	printf(" 'else' stmnts\n");
			pan_exit(1);
	}	}
#if !defined(LOOPSTATE) && !defined(BFS_PAR)
	if (state_tables)
#endif
	do_dfs(n, m, is, srcln, reach, lpstate);

	if (!t_reverse)
	{	return;
	}
	/* process n, with m states, is=initial state -- reverse list */
	if (!state_tables && Btypes[n] != N_CLAIM)
	{	for (i = 1; i < m; i++)
		{	Trans *Tx = (Trans *) 0; /* list of escapes */
			Trans *Ty = (Trans *) 0; /* its tail element */
			T1 = (Trans *) 0; /* reversed list */
			T2 = (Trans *) 0; /* its tail */
			T3 = (Trans *) 0; /* remembers possible 'else' */

			/* find unless-escapes, they should go first */
			T4 = T5 = T0 = trans[n][i];
	#ifdef HAS_UNLESS
			while (T4 && T4->e_trans) /* escapes are first in orig list */
			{	T5 = T4;	  /* remember predecessor */
				T4 = T4->nxt;
			}
	#endif
			/* T4 points to first non-escape, T5 to its parent, T0 to original list */
			if (T4 != T0)		 /* there was at least one escape */
			{	T3 = T5->nxt;		 /* start of non-escapes */
				T5->nxt = (Trans *) 0;	 /* separate */
				Tx = T0;		 /* start of the escapes */
				Ty = T5;		 /* its tail */
				T0 = T3;		 /* the rest, to be reversed */
			}
			/* T0 points to first non-escape, Tx to the list of escapes, Ty to its tail */

			/* first tail-add non-escape transitions, reversed */
			T3 = (Trans *) 0;
			for (T5 = T0; T5; T5 = T4)
			{	T4 = T5->nxt;
	#ifdef HAS_UNLESS
				if (T5->e_trans)
				{	printf("error: cannot happen!\n");
					continue;
				}
	#endif
				if (strcmp(T5->tp, "else") == 0)
				{	T3 = T5;
					T5->nxt = (Trans *) 0;
				} else
				{	T5->nxt = T1;
					if (!T1) { T2 = T5; }
					T1 = T5;
			}	}
			/* T3 points to a possible else, which is removed from the list */
			/* T1 points to the reversed list so far (without escapes) */
			/* T2 points to the tail element -- where the else should go */
			if (T2 && T3)
			{	T2->nxt = T3;	/* add else */
			} else
			{	if (T3) /* there was an else, but there's no tail */
				{	if (!T1)	/* and no reversed list */
					{	T1 = T3; /* odd, but possible */
					} else		/* even stranger */
					{	T1->nxt = T3;
			}	}	}

			/* add in the escapes, to that they appear at the front */
			if (Tx && Ty) { Ty->nxt = T1; T1 = Tx; }

			trans[n][i] = T1;
			/* reversed, with escapes first and else last */
	}	}
	if (state_tables && verbose)
	{	printf("FINAL proctype %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
	}
}
void
imed(Trans *T, int v, int n, int j)	/* set intermediate state */
{	progstate[n][T->st] |= progstate[n][v];
	accpstate[n][T->st] |= accpstate[n][v];
	stopstate[n][T->st] |= stopstate[n][v];
	mapstate[n][j] = T->st;
}
void
tagtable(int n, int m, int is, short srcln[], uchar reach[])
{	Trans *z;

	if (is >= m || !trans[n][is]
	||  is <= 0 || reach[is] == 0)
		return;
	reach[is] = 0;
	if (state_tables)
	for (z = trans[n][is]; z; z = z->nxt)
	{	if (dodot)
			dot_crack(n, is, z);
		else
			crack(n, is, z, srcln);
	}

	for (z = trans[n][is]; z; z = z->nxt)
	{
#ifdef HAS_UNLESS
		int i, j;
#endif
		tagtable(n, m, z->st, srcln, reach);
#ifdef HAS_UNLESS
		for (i = 0; i < HAS_UNLESS; i++)
		{	j = trans[n][is]->escp[i];
			if (!j) break;
			tagtable(n, m, j, srcln, reach);
		}
#endif
	}
}

extern Trans *t_id_lkup[];

void
dfs_table(int n, int m, int is, short srcln[], uchar reach[], uchar lpstate[])
{	Trans *z;

	if (is >= m || is <= 0 || !trans[n][is])
		return;
	if ((reach[is] & (4|8|16)) != 0)
	{	if ((reach[is] & (8|16)) == 16)	/* on stack, not yet recorded */
		{	lpstate[is] = 1;
			reach[is] |= 8; /* recorded */
			if (state_tables && verbose)
			{	printf("state %d line %d is a loopstate\n", is, srcln[is]);
		}	}
		return;
	}
	reach[is] |= (4|16);	/* visited | onstack */
	for (z = trans[n][is]; z; z = z->nxt)
	{	t_id_lkup[z->t_id] = z;
#ifdef HAS_UNLESS
		int i, j;
#endif
		dfs_table(n, m, z->st, srcln, reach, lpstate);
#ifdef HAS_UNLESS
		for (i = 0; i < HAS_UNLESS; i++)
		{	j = trans[n][is]->escp[i];
			if (!j) break;
			dfs_table(n, m, j, srcln, reach, lpstate);
		}
#endif
	}
	reach[is] &= ~16; /* no longer on stack */
}
void
do_dfs(int n, int m, int is, short srcln[], uchar reach[], uchar lpstate[])
{	int i;
	dfs_table(n, m, is, srcln, reach, lpstate);
	for (i = 0; i < m; i++)
		reach[i] &= ~(4|8|16);
}
void
crack(int n, int j, Trans *z, short srcln[])
{	int i;

	if (!z) return;
	printf("	state %3d -(tr %3d)-> state %3d  ",
		j, z->forw, z->st);
	printf("[id %3d tp %3d", z->t_id, z->tpe[0]);
	if (z->tpe[1]) printf(",%d", z->tpe[1]);
#ifdef HAS_UNLESS
	if (z->e_trans)
		printf(" org %3d", z->e_trans);
	else if (state_tables >= 2)
	for (i = 0; i < HAS_UNLESS; i++)
	{	if (!z->escp[i]) break;
		printf(" esc %d", z->escp[i]);
	}
#endif
	printf("]");
	printf(" [%s%s%s%s%s] %s:%d => ",
		z->atom&6?"A":z->atom&32?"D":"-",
		accpstate[n][j]?"a" :"-",
		stopstate[n][j]?"e" : "-",
		progstate[n][j]?"p" : "-",
		z->atom & 8 ?"L":"G",
		PanSource, srcln[j]);
	for (i = 0; z->tp[i]; i++)
		if (z->tp[i] == '\n')
			printf("\\n");
		else
			putchar(z->tp[i]);
	if (verbose && z->qu[0])
	{	printf("\t[");
		for (i = 0; i < 6; i++)
			if (z->qu[i])
				printf("(%d,%d)",
				z->qu[i], z->ty[i]);
		printf("]");
	}
	printf("\n");
	fflush(stdout);
}
/* spin -a m.pml; cc -o pan pan.c; ./pan -D | dot -Tps > foo.ps; ps2pdf foo.ps */
void
dot_crack(int n, int j, Trans *z)
{	int i;

	if (!z) return;
	printf("	S%d -> S%d  [color=black", j, z->st);

	if (z->atom&6) printf(",style=dashed");
	else if (z->atom&32) printf(",style=dotted");
	else if (z->atom&8) printf(",style=solid");
	else printf(",style=bold");

	printf(",label=\"");
	for (i = 0; z->tp[i]; i++)
	{	if (z->tp[i] == '\\'
		&&  z->tp[i+1] == 'n')
		{	i++; printf(" ");
		} else
		{	putchar(z->tp[i]);
	}	}
	printf("\"];\n");
	if (accpstate[n][j]) printf("  S%d [color=red,style=bold];\n", j);
	else if (progstate[n][j]) printf("  S%d [color=green,style=bold];\n", j);
	if (stopstate[n][j]) printf("  S%d [color=blue,style=bold,shape=box];\n", j);
}

#ifdef VAR_RANGES
#define BYTESIZE	32	/* 2^8 : 2^3 = 256:8 = 32 */

typedef struct Vr_Ptr {
	char	*nm;
	uchar	vals[BYTESIZE];
	struct Vr_Ptr *nxt;
} Vr_Ptr;
Vr_Ptr *ranges = (Vr_Ptr *) 0;

void
logval(char *s, int v)
{	Vr_Ptr *tmp;

	if (v<0 || v > 255) return;
	for (tmp = ranges; tmp; tmp = tmp->nxt)
		if (!strcmp(tmp->nm, s))
			goto found;
	tmp = (Vr_Ptr *) emalloc(sizeof(Vr_Ptr));
	tmp->nxt = ranges;
	ranges = tmp;
	tmp->nm = s;
found:
	tmp->vals[(v)/8] |= 1<<((v)%8);
}

void
dumpval(uchar X[], int range)
{	int w, x, i, j = -1;

	for (w = i = 0; w < range; w++)
	for (x = 0; x < 8; x++, i++)
	{
from:		if ((X[w] & (1<<x)))
		{	printf("%d", i);
			j = i;
			goto upto;
	}	}
	return;
	for (w = 0; w < range; w++)
	for (x = 0; x < 8; x++, i++)
	{
upto:		if (!(X[w] & (1<<x)))
		{	if (i-1 == j)
				printf(", ");
			else
				printf("-%d, ", i-1);
			goto from;
	}	}
	if (j >= 0 && j != 255)
		printf("-255");
}

void
dumpranges(void)
{	Vr_Ptr *tmp;
	printf("\nValues assigned within ");
	printf("interval [0..255]:\n");
	for (tmp = ranges; tmp; tmp = tmp->nxt)
	{	printf("\t%s\t: ", tmp->nm);
		dumpval(tmp->vals, BYTESIZE);
		printf("\n");
	}
}
#endif
