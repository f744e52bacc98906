//! ume-sim
